// A list of rules for captions that the user writes, what they would change, and doing it.

import { CaptionDifferences } from "./caption_differences.mjs";
import { button, debounced, h, put, say, show } from "./dom.mjs";
import { OptionRow } from "./option_row.mjs";
import { folded } from "./report.mjs";

const QUIET_MILLISECONDS = 350;
const MOST_SHOWN = 200;
const FIRST = [{ kind: "add" }];
const CLEANING = ["underscores", "ratings", "synonyms", "generic", "dedupe", "tidy"];

/** `meant()` says which pictures are meant, `apply(rules)` changes their captions. The rules are kept in the form. */
export class CaptionRules {
  constructor(context, captions, { meant, apply }) {
    Object.assign(this, { context, captions, meant, apply, entries: [], turn: 0, made: 0 });
    this.soon = debounced(() => this.preview(), QUIET_MILLISECONDS);
    this.differences = new CaptionDifferences();
    this.list = h("ol", { class: "trainer-rules" });
    this.kind = h("select", { class: "trainer-input", id: "trainer-rules-kind", "aria-label": "Kind of rule" });
    this.said = h("p", { role: "status", class: "trainer-quiet" });
    this.error = h("p", { class: "trainer-error", role: "alert", hidden: true });
    this.doing = button("Change captions", () => this.act(), { kind: "primary", id: "trainer-rules-apply", disabled: true });
    const add = button("Add this rule", () => this.add({ kind: this.kind.value }), { id: "trainer-rules-add" });
    const usual = button("Usual clean-up", () => this.fill(CLEANING.map((kind) => ({ kind }))), {
      kind: "plain",
      title: "Underscores, ratings, synonyms, general tags beside longer ones, doubled tags, spaces",
    });
    const parts = [this.list, this.kind, h("div", { class: "trainer-row" }, add, usual), this.said, this.error, this.differences.element, h("div", {}, this.doing)];
    this.element = folded("Change captions by rules", parts, { open: true, id: "trainer-rules" });
  }

  /** Draw the kinds of rules and the list that was written last. */
  async show() {
    if (this.kinds) {
      return;
    }
    try {
      const kinds = await this.captions.rules();
      this.kinds = new Map(kinds.map((each) => [each.kind, each]));
    } catch (error) {
      this.complain(error.message);
      return;
    }
    put(this.kind, kindChoices(this.kinds));
    const kept = this.context.form.rules ?? FIRST;
    this.fill(kept.filter(({ kind }) => this.kinds.has(kind)));
  }

  /** The rules as tables. */
  rules() {
    return this.entries.map(({ kind, rows }) => {
      const given = rows.filter((row) => row.isChanged()).map((row) => [row.option.name, row.read()]);
      return { kind, ...Object.fromEntries(given) };
    });
  }

  fill(tables) {
    this.entries = tables.map((table) => this.entry(table));
    this.changed();
  }

  add(table) {
    this.entries.push(this.entry(table));
    this.changed();
    this.entries.at(-1).element.querySelector("input, textarea, select")?.focus();
  }

  /** Have a word replaced in all captions that are meant, by the rule that does so already or a new one. */
  replaceWord(word, known) {
    const pair = `${word} => ${known}`;
    const tables = this.rules();
    const there = tables.find((table) => table.kind === "replace" && table.within === "words");
    if (there) {
      there.pairs = [...new Set([...(there.pairs ?? []), pair])];
    }
    this.fill(there ? tables : [...tables.filter((table) => Object.keys(table).length > 1), { kind: "replace", pairs: [pair], within: "words" }]);
    this.element.open = true;
    this.element.scrollIntoView({ block: "nearest" });
  }

  entry({ kind, ...values }) {
    const { help, options } = this.kinds.get(kind);
    this.made += 1;
    const settings = { id: `rule-${this.made}`, context: this.context, pickers: {}, changed: () => this.typed() };
    const rows = options.map((option) => new OptionRow(option, settings));
    rows.filter(({ option }) => option.name in values).forEach((row) => row.write(values[row.option.name]));
    const entry = { kind, rows };
    const act = (label, title, change) => button(label, () => this.move(entry, change), { kind: "plain", title, "aria-label": title });
    const acts = [act("↑", "Earlier", -1), act("↓", "Later", 1), act("×", "Take this rule out", 0)];
    const head = h("div", { class: "trainer-row" }, h("b", { class: "trainer-grow" }, titleOf(kind)), acts);
    entry.element = h("li", { class: "trainer-rule", "data-kind": kind }, head, h("p", { class: "trainer-quiet" }, help), rows.map(({ element }) => element));
    return entry;
  }

  /** Another place for a rule, or with 0 none any more. */
  move(entry, way) {
    const place = this.entries.indexOf(entry);
    this.entries.splice(place, 1);
    if (way) {
      this.entries.splice(Math.max(0, place + way), 0, entry);
    }
    this.changed();
  }

  changed() {
    put(this.list, this.entries.map(({ element }) => element));
    this.typed();
  }

  typed() {
    this.context.form.rules = this.rules();
    this.context.save();
    this.soon();
  }

  isComplete() {
    return this.entries.length > 0 && this.entries.every(({ rows }) => rows.every((row) => !row.isMissing()));
  }

  /** Show what the rules would change. */
  async preview() {
    this.turn += 1;
    const { turn } = this;
    this.complain("");
    if (!this.captions.gallery.run || !this.kinds || !this.element.open || !this.isComplete()) {
      this.tell(this.entries.length ? "Fill in what is needed: the changes are shown here before they are made." : "", null);
      return;
    }
    const { files, words } = this.meant();
    try {
      const told = await this.captions.ask("preview", { rules: this.rules(), most: MOST_SHOWN, ...(files ? { files } : {}) });
      if (turn === this.turn) {
        this.tell(`${told.changed.toLocaleString("en")} of ${words} would change.`, told);
      }
    } catch (error) {
      if (turn === this.turn) {
        this.tell("", null);
        this.complain(error.message);
      }
    }
  }

  tell(sentence, told) {
    say(this.said, sentence);
    this.differences.show(told);
    this.doing.disabled = !told?.changed;
    say(this.doing, told?.changed ? `Change ${told.changed === 1 ? "1 caption" : `${told.changed.toLocaleString("en")} captions`}` : "Change captions");
  }

  async act() {
    await this.apply(this.rules());
  }

  complain(sentence) {
    say(this.error, sentence);
    show(this.error, Boolean(sentence));
  }
}

function kindChoices(kinds) {
  return [...kinds.values()].map(({ kind, help }) => h("option", { value: kind }, `${titleOf(kind)}: ${help.replace(/\.$/, "")}`));
}

function titleOf(kind) {
  return kind.charAt(0).toUpperCase() + kind.slice(1);
}
