// A picture large, in front of the page; the arrow keys go to its neighbours.

import { button, h, put, say } from "./dom.mjs";
import { copy } from "./copying.mjs";

const KEYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** The place in `items` of the nearest one from `at` in a direction of rows and columns; `at` itself where none is. */
export function neighbour(items, at, [down, right]) {
  const here = items[at];
  const way = (item) => (down ? (item.row - here.row) * down : (item.column - here.column) * right);
  const isInLine = (item) => (down ? item.column === here.column : item.row === here.row);
  let nearest = at;
  items.forEach((item, place) => {
    if (isInLine(item) && way(item) > 0 && (nearest === at || way(item) < way(items[nearest]))) {
      nearest = place;
    }
  });
  return nearest;
}

/**
 * Shows pictures large. Items: {row, column, source, title, subtitle?, text?}; `text` is what the picture was made with.
 * `actions(item)` may answer further buttons for an item.
 */
export class Zoom {
  constructor(context, { actions = () => [] } = {}) {
    this.context = context;
    this.actions = actions;
    this.picture = h("img", { class: "trainer-zoom-picture", alt: "" });
    this.title = h("h2", { id: "trainer-zoom-title" });
    this.subtitle = h("p", { class: "trainer-quiet" });
    this.text = h("pre", { class: "trainer-zoom-text", tabindex: "0", "aria-label": "Settings of the picture" });
    this.buttons = h("div", { class: "trainer-row" });
    this.dialog = h(
      "dialog",
      { class: "trainer-dialog trainer-zoom", "aria-labelledby": "trainer-zoom-title" },
      h("div", { class: "trainer-zoom-frame" }, this.picture),
      h("div", { class: "trainer-zoom-side" }, this.title, this.subtitle, this.buttons, this.text),
    );
    this.dialog.addEventListener("keydown", (event) => this.key(event));
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    this.dialog.addEventListener("close", () => this.closed());
  }

  get isOpen() {
    return this.dialog.open;
  }

  open(items, at) {
    this.before = document.activeElement;
    this.items = items;
    this.context.page.append(this.dialog);
    this.show(at);
    if (!this.dialog.open) {
      this.dialog.showModal();
    }
  }

  close() {
    this.dialog.close();
  }

  show(at) {
    const item = this.items[at];
    this.at = at;
    this.picture.src = item.source;
    this.picture.alt = [item.title, item.subtitle].filter(Boolean).join(", ");
    say(this.title, item.title);
    say(this.subtitle, item.subtitle);
    say(this.text, item.text);
    this.text.hidden = !item.text;
    const step = (label, way, name) => {
      const isAtEnd = neighbour(this.items, at, way) === at;
      return button(label, () => this.show(neighbour(this.items, this.at, way)), {
        kind: "secondary",
        "aria-label": name,
        title: name,
        disabled: isAtEnd,
      });
    };
    const several = (key) => new Set(this.items.map((other) => other[key])).size > 1;
    put(
      this.buttons,
      several("column") && [
        step("←", KEYS.ArrowLeft, "Picture to the left"),
        step("→", KEYS.ArrowRight, "Picture to the right"),
      ],
      several("row") && [step("↑", KEYS.ArrowUp, "Picture above"), step("↓", KEYS.ArrowDown, "Picture below")],
      item.text && button("Copy settings", async () => this.told(await copy(item.text))),
      this.actions(item),
      button("Close", () => this.dialog.close()),
    );
  }

  told(isDone) {
    this.context.toast(
      isDone ? "The picture's settings are copied." : "The browser does not let this page copy.",
      isDone ? "info" : "error",
    );
  }

  key(event) {
    event.stopPropagation(); // the WebUI has keys of its own
    const way = KEYS[event.key];
    if (way && event.target !== this.text) {
      event.preventDefault();
      this.show(neighbour(this.items, this.at, way));
    }
  }

  closed() {
    this.dialog.remove();
    this.picture.removeAttribute("src");
    this.before?.focus?.();
  }
}
