// A heading with options under it, closed until somebody opens it or something in it wants to be seen.

import { h, say, show } from "./dom.mjs";

export class Fold {
  constructor(title, help, id) {
    this.badge = h("span", { class: "trainer-badge", hidden: true });
    this.body = h("div", { class: "trainer-fold-body" });
    const words = h("span", { class: "trainer-fold-help" }, help);
    const heading = h("summary", {}, h("span", { class: "trainer-fold-title" }, title), this.badge, words);
    this.element = h("details", { class: "trainer-fold", id }, heading, this.body);
    this.wasOpen = null; // before a search opened or closed it
  }

  /** Says how many options in here differ from their defaults. */
  changes(count) {
    say(this.badge, `${count} changed`);
    show(this.badge, count > 0);
  }

  /** While a search goes on the fold is open if something in it was found, else away; then as it was. */
  search(isSearching, isFound) {
    if (isSearching) {
      this.wasOpen ??= this.element.open;
      this.element.open = isFound;
    } else if (this.wasOpen !== null) {
      this.element.open = this.wasOpen;
      this.wasOpen = null;
    }
    show(this.element, !isSearching || isFound);
  }

  open() {
    this.element.open = true;
  }
}
