// One option as a row of a form: its label, control, help, way back to the default, and the complaint about it.

import { button, h, say, show } from "./dom.mjs";
import { makeControl, typed } from "./fields.mjs";

/** What is allowed, the default and the name in recipes, in words. */
export function facts(option) {
  const [low, high] = [option.ge, option.le].map((bound) => bound ?? null);
  const unit = option.unit ? ` ${option.unit}` : "";
  const bounds = [];
  if (low !== null && high !== null) bounds.push(`${typed(low)} to ${typed(high)}${unit}`);
  else if (low !== null) bounds.push(`at least ${typed(low)}${unit}`);
  else if (high !== null) bounds.push(`at most ${typed(high)}${unit}`);
  const standard = option.required ? "must be given" : `default: ${said(option.default)}`;
  return [...bounds, standard, `in recipes: ${option.path}`].join(" · ");
}

function said(value) {
  if (value === null || value === "" || (Array.isArray(value) && !value.length)) return "empty";
  if (typeof value === "boolean") return value ? "on" : "off";
  return Array.isArray(value) ? value.map(typed).join(", ") : typed(value);
}

function same(one, other) {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** A leaf of the form. `settings`: {id, context, pickers, changed(row)}. */
export class OptionRow {
  constructor(option, settings) {
    this.option = option;
    this.settings = settings;
    this.isTouched = false;
    this.id = `trainer-${settings.id}-${option.path}`;
    const make = settings.pickers[option.path] ?? makeControl;
    this.control = make(option, this.id, settings.context, () => this.touched());
    this.element = this.draw();
    this.write(option.default);
  }

  draw() {
    const { option, id } = this;
    const title = `${option.help}\n${facts(option)}`;
    this.facts = h("p", { id: `${id}-facts`, class: "trainer-facts", hidden: true }, facts(option));
    this.complaint = h("p", { id: `${id}-complaint`, class: "trainer-error trainer-complaint", role: "alert", hidden: true });
    const help = h("p", { id: `${id}-help`, class: "trainer-help" }, option.help);
    const more = h("button", {
      type: "button", class: "trainer-why", title, "aria-expanded": "false", "aria-controls": this.facts.id,
      "aria-label": `About ${option.label}`, onclick: () => this.toggle(more),
    }, "?");
    const reset = () => { this.write(option.default); this.touched(); };
    this.reset = button("Reset", reset, { kind: "plain", title: `Back to the default: ${said(option.default)}` });
    this.reset.setAttribute("aria-label", `Reset ${option.label} to its default`);
    this.need = h("span", { class: "trainer-need" }, "needed");
    const label = h("label", { for: id, title }, option.label);
    const name = h("div", { class: "trainer-option-name" }, label, more, this.need);
    const words = h("div", { class: "trainer-option-words" }, name, help, this.facts);
    const unit = option.unit ? h("span", { class: "trainer-unit" }, option.unit) : null;
    const control = h("div", { class: "trainer-option-control" }, this.control.element, unit, this.reset);
    this.control.input.setAttribute("aria-describedby", `${help.id} ${this.complaint.id}`);
    this.control.input.setAttribute("data-path", option.path);
    return h("div", { class: `trainer-option trainer-kind-${option.kind}`, id: `${id}-row` }, words, control, this.complaint);
  }

  toggle(more) {
    show(this.facts, this.facts.hidden);
    more.setAttribute("aria-expanded", String(!this.facts.hidden));
  }

  touched() {
    this.isTouched = true;
    this.mark();
    this.settings.changed(this);
  }

  read() {
    return this.control.read();
  }

  write(value) {
    this.control.write(value);
    this.mark();
  }

  mark() {
    const isChanged = this.isChanged();
    show(this.reset, isChanged && !this.option.required);
    show(this.need, this.isMissing());
    this.element.classList.toggle("trainer-changed", isChanged);
  }

  /** Whether the value has to be given and is not. */
  isMissing() {
    return this.option.required && this.read() === undefined;
  }

  isChanged() {
    const value = this.read();
    return value !== undefined && (this.option.required || !same(value, this.option.default));
  }

  /** Whether label, path or help contain all these words. */
  matches(words) {
    const text = `${this.option.label} ${this.option.path} ${this.option.path.replaceAll("_", " ")} ${this.option.help}`.toLowerCase();
    return words.every((word) => text.includes(word));
  }

  /** Shows a sentence under the row; an empty one takes it away. */
  complain(sentence) {
    say(this.complaint, sentence);
    show(this.complaint, Boolean(sentence));
    if (sentence) this.control.input.setAttribute("aria-invalid", "true");
    else this.control.input.removeAttribute("aria-invalid");
  }
}
