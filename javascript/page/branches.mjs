// The tree behind a form: leaves (one row each), sections, and choices that bring options of their own.
//
// Every node has: element; tops, the elements that stand above all folds; rows(), all its rows; inner(), those of them
// that stand where the node stands and not on top; values(); fill(value) -> what it does not know; find(words) -> how
// many match; openFor(test), which opens what holds a row that the test picks; count() of rows that were changed.

import { h, put, show } from "./dom.mjs";
import { Fold } from "./fold.mjs";
import { OptionRow } from "./option_row.mjs";
import { Tables } from "./tables.mjs";

const FIRST = "first";
const REST = "More options";

function makeNode(option, settings, depth) {
  if (option.kind === "sections") return new Tables(option, settings, (options) => new Branch(options, settings, depth));
  if (option.kind === "section") return new Section(option, settings, depth);
  return option.kind === "registry" ? new Choice(option, settings, depth) : new Leaf(option, settings);
}

class Leaf {
  constructor(option, settings) {
    this.option = option;
    this.row = new OptionRow(option, settings);
    this.element = this.row.element;
    this.isFirst = option.group === FIRST;
    this.tops = this.isFirst ? [this.element] : [];
  }

  rows() {
    return [this.row];
  }

  inner() {
    return this.isFirst ? [] : [this.row];
  }

  values() {
    return this.row.isChanged() ? this.row.read() : undefined;
  }

  fill(value) {
    this.row.write(value === undefined ? this.option.default : value);
    return undefined;
  }

  find(words) {
    const isFound = !words.length || this.row.matches(words);
    show(this.element, isFound);
    return isFound ? 1 : 0;
  }

  openFor() {}

  count() {
    return this.row.isChanged() ? 1 : 0;
  }
}

/** What sections, choices and the whole form share: several nodes, each with a name. */
class Branch {
  constructor(options, settings, depth = 0) {
    this.settings = settings;
    this.nodes = options.map((option) => makeNode(option, settings, depth + 1));
  }

  get tops() {
    return this.nodes.flatMap((node) => node.tops);
  }

  rows() {
    return this.nodes.flatMap((node) => node.rows());
  }

  inner() {
    return this.nodes.flatMap((node) => node.inner());
  }

  values() {
    const pairs = this.nodes.map((node) => [node.option.name, node.values()]).filter(([, value]) => value !== undefined);
    return pairs.length ? Object.fromEntries(pairs) : undefined;
  }

  fill(config) {
    const isTable = config !== null && typeof config === "object" && !Array.isArray(config);
    const given = { ...(isTable ? config : {}) };
    const strange = {};
    for (const node of this.nodes) {
      const rest = node.fill(given[node.option.name]);
      if (rest !== undefined) strange[node.option.name] = rest;
      delete given[node.option.name];
    }
    Object.assign(strange, given);
    if (!isTable) return config === undefined ? undefined : config;
    return Object.keys(strange).length ? strange : undefined;
  }

  find(words) {
    return this.nodes.reduce((sum, node) => sum + node.find(words), 0);
  }

  openFor(test) {
    this.nodes.forEach((node) => node.openFor(test));
  }

  count() {
    return this.nodes.reduce((sum, node) => sum + node.count(), 0);
  }
}

/** A group of options: at the first level the content of a fold, deeper a sub-heading in it. */
class Section extends Branch {
  constructor(option, settings, depth) {
    super(option.options, settings, depth);
    this.option = option;
    this.inside = this.nodes.filter((node) => !node.isFirst);
    const words = [h("h3", {}, option.label), h("p", { class: "trainer-quiet" }, option.help)];
    const heading = depth > 1 ? h("div", { class: "trainer-group-head" }, words) : null;
    this.element = h("div", { class: "trainer-group" }, heading, this.inside.map((node) => node.element));
    show(this.element, this.inner().length > 0);
  }

  find(words) {
    const found = super.find(words);
    show(this.element, this.inside.some((node) => !node.element.hidden));
    return found;
  }
}

/** One of several implementations, with that one's own options beneath. */
class Choice {
  constructor(option, settings, depth) {
    Object.assign(this, { option, settings, depth, strange: {} });
    this.isFirst = option.group === FIRST;
    const kinds = { ...option, kind: "choice", choices: Object.keys(option.entries), required: false, optional: false };
    this.row = new OptionRow(kinds, { ...settings, changed: () => this.switch() });
    this.body = h("div", { class: "trainer-choice-body" });
    this.element = h("div", { class: "trainer-choice" }, this.row.element, this.body);
    this.tops = this.isFirst ? [this.element] : [];
    this.draw();
  }

  draw() {
    const name = this.row.read();
    const entry = this.option.entries[name] ?? { help: "", options: [] };
    this.branch = new Branch(entry.options, this.settings, this.depth);
    const above = this.branch.nodes.filter((node) => node.isFirst || !this.isFirst);
    const below = (this.below = this.branch.nodes.filter((node) => !above.includes(node)));
    this.fold = below.length ? new Fold(`Options of ${name}`, "", `${this.row.id}-fold`) : null;
    if (this.fold) put(this.fold.body, below.map((node) => node.element));
    const help = entry.help ? h("p", { class: "trainer-quiet" }, entry.help) : null;
    put(this.body, help, above.map((node) => node.element), this.fold?.element);
  }

  switch() {
    this.strange = {};
    this.draw();
    this.settings.redrawn();
    this.settings.changed();
  }

  rows() {
    return [this.row, ...this.branch.rows()];
  }

  inner() {
    return this.isFirst ? [] : this.rows();
  }

  values() {
    const own = { ...this.strange, ...this.branch.values() };
    const type = this.row.read();
    return type === this.option.default && !Object.keys(own).length ? undefined : { type, ...own };
  }

  fill(value) {
    const isTable = value !== null && typeof value === "object";
    const { type, ...own } = isTable ? value : { type: value };
    this.row.write(type ?? this.option.default);
    this.draw();
    this.strange = this.branch.fill(own) ?? {};
    return undefined;
  }

  find(words) {
    const found = this.branch.find(words);
    const isFound = !words.length || this.row.matches(words);
    show(this.element, isFound || found > 0);
    this.fold?.search(words.length > 0, this.below.some((node) => node.rows().some((row) => row.matches(words))));
    return found + (isFound ? 1 : 0);
  }

  openFor(test) {
    if (this.below.some((node) => node.rows().some(test))) this.fold?.open();
  }

  count() {
    const own = this.branch.count();
    this.fold?.changes(this.below.reduce((sum, node) => sum + node.count(), 0));
    return own + (this.row.isChanged() ? 1 : 0);
  }
}

/** The whole form: what comes first, then a fold for each section and choice, and one for the rest. */
export class Root extends Branch {
  constructor(options, settings) {
    super(options, settings);
    const first = this.tops;
    const rest = this.nodes.filter((node) => node instanceof Leaf && !node.isFirst);
    const big = this.nodes.filter((node) => !(node instanceof Leaf) && node.inner().length > 0);
    this.folds = big.map((node) => this.makeFold(node.option.label, node.option.help, [node], node.option.path));
    const isShort = !first.length && !big.length; // then nothing needs to be folded away
    if (isShort) first.push(...rest.map((node) => node.element));
    else if (rest.length) this.folds.push(this.makeFold(REST, "", rest, "more"));
    this.first = h("div", { class: "trainer-first", hidden: !first.length }, first);
    this.element = h("div", { class: "trainer-branch" }, this.first, this.folds.map(({ fold }) => fold.element));
  }

  makeFold(title, help, nodes, name) {
    const fold = new Fold(title, help, `trainer-${this.settings.id}-fold-${name}`);
    put(fold.body, nodes.map((node) => node.element));
    return { fold, nodes, rows: () => nodes.flatMap((node) => node.inner()) };
  }

  find(words) {
    const found = super.find(words);
    show(this.first, [...this.first.children].some((element) => !element.hidden));
    for (const { fold, nodes } of this.folds) fold.search(words.length > 0, nodes.some((node) => !node.element.hidden));
    return found;
  }

  openFor(test) {
    super.openFor(test);
    for (const { fold, rows } of this.folds) if (rows().some(test)) fold.open();
  }

  count() {
    for (const { fold, rows } of this.folds) fold.changes(rows().filter((row) => row.isChanged()).length);
    return super.count();
  }
}
