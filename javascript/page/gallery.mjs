// The pictures that a look at a folder found, sixty at a time as far as one scrolls, with a filter.

import { debounced, h, on, put, say, show } from "./dom.mjs";
import { counted, number } from "./words.mjs";

const PAGE = 60;
const QUIET_MILLISECONDS = 300;
const PROBLEMS = "problem:"; // the server's word for pictures with a problem or a warning

/** `open(run)` shows what that look found; `onOpen(picture)` is called when one is chosen. */
export class Gallery {
  constructor(context, { onOpen }) {
    this.context = context;
    this.onOpen = onOpen;
    this.pictures = [];
    this.turn = 0;
    const later = debounced(() => this.reload(), QUIET_MILLISECONDS);
    this.filter = h("input", {
      type: "search",
      class: "trainer-input",
      id: "trainer-pictures-filter",
      placeholder: "Filter by name or caption",
      "aria-label": "Filter by name or caption",
      oninput: later,
    });
    this.only = h("input", {
      type: "checkbox",
      class: "trainer-check",
      id: "trainer-pictures-problems",
      onchange: () => this.reload(),
    });
    this.said = h("span", { class: "trainer-quiet", role: "status" });
    const only = h("label", { class: "trainer-ticked" }, this.only, "Only with problems");
    this.grid = h("div", { class: "trainer-gallery" });
    this.end = h("div", { class: "trainer-gallery-end" });
    this.element = h(
      "section",
      { class: "trainer-column" },
      h("div", { class: "trainer-row" }, h("div", { class: "trainer-grow" }, this.filter), only, this.said),
      this.grid,
      this.end,
    );
    this.watch = new IntersectionObserver((seen) => seen.some((entry) => entry.isIntersecting) && this.more(), {
      rootMargin: "600px",
    });
    this.watch.observe(this.end);
    on(this.grid, "keydown", (event) => this.key(event));
  }

  /** Show the pictures of this look. */
  open(run) {
    this.run = run;
    return this.reload();
  }

  async reload() {
    this.turn += 1;
    this.isBusy = false;
    Object.assign(this, { pictures: [], total: null });
    await this.more();
  }

  destroy() {
    this.watch.disconnect();
  }

  async more() {
    if (!this.run || this.isBusy || (this.total !== null && this.pictures.length >= this.total)) {
      return;
    }
    const turn = this.turn;
    this.isBusy = true;
    const filter = (this.only.checked ? PROBLEMS : "") + this.filter.value.trim();
    try {
      const query = { from: this.pictures.length, count: PAGE, filter };
      const found = await this.context.api.get(this.context.route("runs", this.run, "pictures"), query);
      if (turn === this.turn) {
        this.add(found);
      }
    } catch (error) {
      if (turn === this.turn) {
        say(this.said, error.message);
      }
    } finally {
      this.isBusy = turn === this.turn ? false : this.isBusy;
    }
  }

  add({ total, pictures }) {
    const isFirst = !this.pictures.length;
    this.total = total;
    this.pictures.push(...pictures);
    const cards = pictures.map((picture) => this.card(picture));
    if (isFirst) {
      put(this.grid, cards);
    } else {
      this.grid.append(...cards);
    }
    const isFiltered = this.only.checked || this.filter.value.trim();
    say(this.said, isFiltered ? `${counted(total, "picture")} found` : counted(total, "picture"));
    show(this.end, this.pictures.length < total);
    if (this.pictures.length < total && this.end.getBoundingClientRect().top < innerHeight) {
      queueMicrotask(() => this.more());
    }
  }

  card(picture) {
    const { n, file, caption, problem } = picture;
    const name = file.split("/").pop();
    return h(
      "button",
      {
        type: "button",
        class: ["trainer-found", problem && "trainer-found-bad"],
        "data-n": n,
        title: file,
        onclick: () => this.onOpen(picture),
      },
      this.thumb(picture),
      h("span", { class: "trainer-found-name" }, name),
      picture.width ? h("span", { class: "trainer-quiet" }, sizes(picture)) : null,
      caption && h("span", { class: "trainer-found-caption" }, caption),
      troubles(picture),
    );
  }

  thumb({ n, thumb, caption }) {
    const source = thumb && this.source(n);
    return h(
      "span",
      { class: "trainer-found-frame" },
      source
        ? h("img", { src: source, loading: "lazy", alt: caption || "" })
        : h("span", { class: "trainer-quiet" }, "can't be shown"),
    );
  }

  /** The address of a picture's small copy. */
  source(n) {
    return this.context.api.address(this.context.route("runs", this.run, "thumb"), { n });
  }

  /** Show a picture that was changed, such as by a new caption. */
  replace(picture) {
    const place = this.pictures.findIndex((other) => other.n === picture.n);
    if (place >= 0) {
      this.pictures[place] = picture;
      this.cardOf(picture.n)?.replaceWith(this.card(picture));
      this.mark(this.marked);
    }
  }

  /** The picture beside another one; null at the ends of what is loaded. */
  beside(picture, way) {
    const place = this.pictures.findIndex((other) => other.n === picture.n);
    if (place + way >= this.pictures.length - 5) {
      this.more();
    }
    return this.pictures[place + way] ?? null;
  }

  /** Mark the card of the picture that is open; null: none. */
  mark(n) {
    this.marked = n;
    this.grid.querySelector(".trainer-found-open")?.classList.remove("trainer-found-open");
    const card = n === null || n === undefined ? null : this.cardOf(n);
    card?.classList.add("trainer-found-open");
    return card;
  }

  cardOf(n) {
    return this.grid.querySelector(`[data-n="${n}"]`);
  }

  key(event) {
    const way = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = way && this.grid.children[[...this.grid.children].indexOf(document.activeElement) + way];
    if (next) {
      event.preventDefault();
      next.focus();
    }
  }
}

/** "1,024 × 768, becomes 512 × 384". */
export function sizes({ width, height, target }) {
  const whole = `${number(width)} × ${number(height)}`;
  return target ? `${whole} → ${number(target[0])} × ${number(target[1])}` : whole;
}

/** What is wrong with a picture, or worth knowing, each as a line of words. */
export function troubles({ problem, warnings }) {
  const bad = problem ? [h("span", { class: "trainer-error" }, problem)] : [];
  return [...bad, ...(warnings ?? []).map((warning) => h("span", { class: "trainer-warning" }, warning))];
}
