// A form drawn from any list of options: the first ones on top, the rest in folds; values in, values out, complaints in
// their places, and a search. Nothing here knows an option by name.

import { Root } from "./branches.mjs";
import { merged } from "./configs.mjs";
import { debounced, h, put, say, show } from "./dom.mjs";
import { counted } from "./words.mjs";

const CHECK_MILLISECONDS = 400;

/**
 * `settings`: {id: begins the elements' ids, context, onChange(): after each change of the user,
 * step: whose options these are, to have the server check them 400 ms after a change, onCheck(complaints) then,
 * pickers: {path: a control of another kind, as fields.mjs describes controls}, skip: paths that are left out}.
 */
export class Form {
  constructor(options, settings) {
    this.settings = { pickers: {}, skip: [], onChange: () => {}, onCheck: () => {}, step: null, ...settings };
    this.check = debounced(() => this.ask(), CHECK_MILLISECONDS);
    this.asked = 0;
    this.words = [];
    this.strange = {};
    this.top = h("div", { class: "trainer-complaints", role: "alert", hidden: true });
    this.none = h("p", { class: "trainer-quiet", hidden: true }, "No option matches.");
    const inner = { ...this.settings, changed: () => this.changed(), redrawn: () => this.redrawn() };
    this.root = new Root(options.filter((option) => !this.settings.skip.includes(option.path)), inner);
    this.element = h("div", { class: "trainer-form", id: `trainer-${settings.id}-form` }, this.top, this.none, this.root.element);
    this.root.count();
  }

  /** The values that differ from their defaults, and all that must be given, as nested JSON. */
  values() {
    return merged(this.strange, this.root.values() ?? {});
  }

  /** The values that must be given, as nested JSON. */
  needed() {
    const given = {};
    for (const row of this.root.rows()) {
      if (!row.option.required || row.isMissing()) continue;
      const names = row.option.path.split(".");
      const last = names.pop();
      names.reduce((table, name) => (table[name] ??= {}), given)[last] = row.read();
    }
    return given;
  }

  /** Shows a configuration; what it does not say is at its default. What is no option here stays in the values. */
  fill(config) {
    this.strange = this.root.fill(config ?? {}) ?? {};
    for (const row of this.root.rows()) row.isTouched = false;
    this.setComplaints([]);
    this.root.count();
    this.find(this.words);
    this.check();
  }

  /** How many options differ from their defaults. */
  get changes() {
    return this.root.count();
  }

  /** Asks the kinds of controls that list something to look again. */
  refresh() {
    for (const row of this.root.rows()) row.control.refresh?.();
  }

  changed() {
    this.root.count();
    this.settings.onChange();
    this.check();
  }

  redrawn() {
    this.root.count();
    this.find(this.words);
  }

  /** Has the server check the values now; shows and answers its complaints. */
  async ask({ all = false, scroll = false } = {}) {
    this.check.cancel();
    if (!this.settings.step) return [];
    const turn = ++this.asked;
    const data = { step: this.settings.step, config: this.values() };
    const reply = await this.settings.context.api.post("check", data).catch(() => null);
    if (reply === null || turn !== this.asked) return null;
    this.setComplaints(reply.complaints, { all, scroll });
    this.settings.onCheck(reply.complaints);
    return reply.complaints;
  }

  /**
   * Puts each {path, message} under its option, or above the form where it belongs to none. Options that must be given
   * and were never touched are spared unless `all`; `scroll` brings the first into view. Answers how many are shown.
   */
  setComplaints(complaints, { all = false, scroll = false } = {}) {
    const rows = [...this.root.rows()];
    const sentences = new Map();
    const above = [];
    for (const { path, message } of complaints) {
      const row = nearest(rows, path ?? "");
      if (!row) above.push(message);
      else if (all || row.isTouched || !row.isMissing()) sentences.set(row, [...(sentences.get(row) ?? []), message]);
    }
    for (const row of rows) row.complain((sentences.get(row) ?? []).join(" "));
    const text = above.join("\n");
    if (text !== this.said) put(this.top, above.map((message) => h("p", { class: "trainer-error" }, message)));
    this.said = text;
    show(this.top, above.length > 0);
    this.root.openFor((row) => sentences.has(row));
    if (scroll) this.scrollTo(above.length ? this.top : [...sentences.keys()][0]?.element);
    return sentences.size + above.length;
  }

  scrollTo(element) {
    element?.scrollIntoView({ block: "center", behavior: "smooth" });
    element?.querySelector("input, select, textarea")?.focus({ preventScroll: true });
  }

  /** Shows only the options with these words in label, path or help; answers how many. Nothing shows all again. */
  search(text) {
    this.words = text.toLowerCase().split(/\s+/).filter(Boolean);
    return this.find(this.words);
  }

  find(words) {
    const found = this.root.find(words);
    show(this.none, words.length > 0 && found === 0);
    return found;
  }

  /** A search box for this form, which says how many options match. */
  searchBox() {
    const said = h("span", { class: "trainer-quiet", role: "status" });
    const input = h("input", {
      type: "search", class: "trainer-input", id: `trainer-${this.settings.id}-search`, placeholder: "Search the options",
      "aria-label": "Search the options", autocomplete: "off",
      oninput: () => {
        const found = this.search(input.value);
        say(said, this.words.length ? `${counted(found, "option")} ${found === 1 ? "matches" : "match"}` : "");
      },
    });
    return h("div", { class: "trainer-search" }, input, said);
  }
}

/** The row of this path, or else the first one beneath it, or the one that it lies in. */
function nearest(rows, path) {
  if (!path) return null;
  const parts = path.split(/[.[\]]+/).filter(Boolean);
  const name = parts.join(".");
  return (
    rows.find((row) => row.option.path === name) ??
    rows.find((row) => row.option.path.startsWith(`${name}.`)) ??
    rows.find((row) => name.startsWith(`${row.option.path}.`)) ??
    null
  );
}
