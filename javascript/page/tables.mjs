// A list of tables of options as a node of the form's tree: a box for each, a button that adds one, and one in each that
// takes it away. The boxes are numbered from 1, as the server's sentences have it.

import { button, h, put, show } from "./dom.mjs";

export class Tables {
  /** `makeBranch(options)` makes the branch behind one box. */
  constructor(option, settings, makeBranch) {
    Object.assign(this, { option, settings, makeBranch, isFirst: false, tops: [], boxes: [] });
    this.one = option.label.replace(/s$/, "");
    const id = `trainer-${settings.id}-${option.path}`;
    const words = [h("h3", {}, option.label), h("p", { class: "trainer-quiet" }, option.help)];
    this.head = h("div", { class: "trainer-group-head" }, words);
    this.list = h("div", { class: "trainer-tables", id });
    this.add = button(`Add ${article(this.one)} ${this.one.toLowerCase()}`, () => this.change([...this.tables(), {}]), { id: `${id}-add` });
    this.element = h("div", { class: "trainer-group" }, this.head, this.list, h("div", { class: "trainer-row" }, this.add));
  }

  /** Shows other tables, as the user asked. */
  change(tables) {
    this.draw(tables);
    this.settings.redrawn();
    this.settings.changed();
  }

  draw(tables) {
    this.boxes = tables.map((table, index) => {
      const options = this.option.options.map((each) => ({ ...each, path: `${this.option.path}.${index + 1}.${each.name}` }));
      const branch = this.makeBranch(options);
      const strange = branch.fill(table);
      return { branch, strange, element: this.box(branch, index) };
    });
    put(this.list, this.boxes.map(({ element }) => element));
  }

  box(branch, index) {
    const name = `${this.one} ${index + 1}`;
    const others = () => this.tables().filter((_, each) => each !== index);
    const remove = button("Remove", () => this.change(others()), { kind: "plain", "aria-label": `Remove ${name}` });
    const head = h("div", { class: "trainer-row trainer-table-head" }, h("h4", { class: "trainer-grow" }, name), remove);
    return h("div", { class: "trainer-table", role: "group", "aria-label": name }, head, branch.nodes.map((node) => node.element));
  }

  /** What each box says, with what is no option of it. */
  tables() {
    return this.boxes.map(({ branch, strange }) => (isTable(strange ?? {}) ? { ...strange, ...branch.values() } : strange));
  }

  rows() {
    return this.boxes.flatMap(({ branch }) => branch.rows());
  }

  inner() {
    return this.rows();
  }

  values() {
    return this.boxes.length ? this.tables() : undefined;
  }

  fill(value) {
    const isList = Array.isArray(value);
    this.draw(isList ? value : []);
    return isList ? undefined : value;
  }

  find(words) {
    const text = `${this.option.label} ${this.option.path} ${this.option.help}`.toLowerCase();
    const isNamed = words.every((word) => text.includes(word));
    const found = this.boxes.reduce((sum, { branch }) => sum + branch.find(isNamed ? [] : words), 0);
    show(this.element, isNamed || found > 0);
    return found + (isNamed ? 1 : 0);
  }

  openFor() {}

  count() {
    return this.boxes.reduce((sum, { branch }) => sum + Math.max(1, branch.count()), 0);
  }
}

function isTable(value) {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function article(word) {
  return /^[aeiou]/i.test(word) ? "an" : "a";
}
