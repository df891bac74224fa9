// Which of a list's items are chosen: one by one, from one to another, all or none.

/** `onChange(items)` is told the items whose state has changed. */
export class Selection {
  constructor(onChange) {
    Object.assign(this, { onChange, chosen: new Set(), order: [], anchor: null });
  }

  /** The items in their order as they are shown now; what is chosen stays so, shown or not. */
  arrange(order) {
    this.order = order;
    this.places = new Map(order.map((item, place) => [item, place]));
    this.anchor = this.places.has(this.anchor) ? this.anchor : null;
  }

  has(item) {
    return this.chosen.has(item);
  }

  get size() {
    return this.chosen.size;
  }

  toggle(item) {
    this.anchor = item;
    this.set([item], !this.has(item));
  }

  /** Choose everything between the item that was clicked last and this one. */
  reach(item) {
    const ends = [this.places.get(this.anchor ?? item), this.places.get(item)].sort((one, other) => one - other);
    this.anchor ??= item;
    this.set(this.order.slice(ends[0], ends[1] + 1), true);
  }

  all() {
    this.set(this.order, true);
  }

  none() {
    this.anchor = null;
    this.set([...this.chosen], false);
  }

  set(items, isChosen) {
    const changed = items.filter((item) => this.has(item) !== isChosen);
    changed.forEach((item) => this.chosen[isChosen ? "add" : "delete"](item));
    if (changed.length) {
      this.onChange(changed);
    }
  }

  /** Have other items stand for those that are chosen: those that `become(item)` gives; undefined: none. */
  rename(become) {
    this.chosen = new Set([...this.chosen].map(become).filter((item) => item !== undefined));
    this.anchor = null;
  }
}
