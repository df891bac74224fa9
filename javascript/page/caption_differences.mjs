// What rules would change, caption by caption: what goes is struck through, what comes is marked.

import { h, put, say, show } from "./dom.mjs";
import { counted } from "./words.mjs";

const TAGS = { same: "span", gone: "del", new: "ins" };

export class CaptionDifferences {
  constructor() {
    this.list = h("ul", { class: "trainer-differences", id: "trainer-differences", tabindex: "0", "aria-label": "What would change" });
    this.more = h("p", { class: "trainer-quiet" });
    this.element = h("div", { class: "trainer-column", hidden: true }, this.list, this.more);
  }

  /** Show the answer of a preview; null for none. */
  show(told) {
    const changes = told?.changes ?? [];
    show(this.element, changes.length > 0);
    put(this.list, changes.map((change) => this.row(change)));
    const left = (told?.changed ?? 0) - changes.length;
    say(this.more, left > 0 ? `and ${counted(left, "caption")} more` : "");
  }

  row({ file, parts }) {
    const words = parts.map(([kind, text]) => h(TAGS[kind], {}, text));
    return h("li", {}, h("b", { title: file }, file.split("/").pop()), h("p", {}, words));
  }
}
