// One caption being written: its tokens counted, and the tags that other pictures have offered while one types.

import { SpellingMarks } from "./caption_spelling.mjs";
import { debounced, h, on, put, say, show } from "./dom.mjs";
import { number } from "./words.mjs";

const QUIET_MILLISECONDS = 150;
const MOST = 8;
const SHORTEST = 2; // letters before anything is offered

/** `captions` is asked; `onInput()` is called when the user changed the text. */
export class CaptionField {
  constructor(captions, onInput) {
    Object.assign(this, { captions, onInput, turn: 0, offered: [], at: -1 });
    this.ask = debounced(() => this.look(), QUIET_MILLISECONDS);
    this.input = h("textarea", {
      class: "trainer-input",
      id: "trainer-caption",
      rows: "4",
      role: "combobox",
      "aria-expanded": "false",
      "aria-autocomplete": "list",
      "aria-controls": "trainer-caption-offers",
      oninput: () => this.typed(),
      onblur: () => this.offer([]),
    });
    this.offers = h("ul", { class: "trainer-offers", id: "trainer-caption-offers", role: "listbox", hidden: true });
    this.tokens = h("span", { class: "trainer-quiet", id: "trainer-caption-tokens", role: "status" });
    const label = h("label", { class: "trainer-stacked" }, "Caption", this.input);
    this.marks = new SpellingMarks((word, known) => this.correct(word, known));
    const under = [this.offers, this.tokens, this.marks.element];
    this.element = h("div", { class: "trainer-caption-field" }, label, under);
    on(this.input, "keydown", (event) => this.key(event));
    on(this.offers, "pointerdown", (event) => this.click(event));
  }

  get value() {
    return this.input.value;
  }

  set value(text) {
    this.input.value = text;
    this.offer([]);
    this.count();
    this.spell();
  }

  typed() {
    this.onInput();
    this.ask();
  }

  /** The tag that the caret stands in: where it begins, and what is written of it. */
  fragment() {
    const before = this.input.value.slice(0, this.input.selectionStart);
    const start = Math.max(before.lastIndexOf(","), before.lastIndexOf("\n")) + 1;
    const blank = before.slice(start).length - before.slice(start).trimStart().length;
    return { start: start + blank, begin: before.slice(start).trim() };
  }

  async look() {
    await Promise.all([this.count(), this.find(), this.spell()]);
  }

  async spell() {
    const text = this.value;
    const told = text.trim() && this.captions.gallery.run ? await this.captions.ask("spelling", { text }).catch(() => null) : null;
    if (text === this.value) {
      this.marks.show(told?.words ?? []);
    }
  }

  /** Write a known word for an unknown one, wherever it stands by itself. */
  correct(word, known) {
    const plain = word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const whole = new RegExp(`(?<![\\p{L}\\p{N}])${plain}(?![\\p{L}\\p{N}])`, "giu");
    this.input.value = this.value.replace(whole, () => known);
    this.typed();
  }

  async count() {
    const text = this.value;
    const { run } = this.captions.gallery;
    if (!run) {
      return;
    }
    const told = await this.captions.ask("tokens", { texts: [text] }).catch(() => null); // a count is no matter of alarm
    if (told && text === this.value) {
      const [count] = told.tokens;
      const isOver = count > told.limit;
      say(this.tokens, `${number(count)} of ${told.limit} tokens${isOver ? ": what is beyond them is read apart, or not at all" : ""}`);
      this.tokens.classList.toggle("trainer-over", isOver);
    }
  }

  async find() {
    this.turn += 1;
    const { turn } = this;
    const { begin } = this.fragment();
    if (begin.length < SHORTEST || document.activeElement !== this.input) {
      this.offer([]);
      return;
    }
    const told = await this.captions.ask("tags", { begin, most: MOST }).catch(() => ({ tags: [] }));
    if (turn === this.turn) {
      const there = new Set(this.value.toLowerCase().split(",").map((tag) => tag.trim()));
      this.offer(told.tags.filter(({ tag }) => !there.has(tag.toLowerCase())));
    }
  }

  offer(offered) {
    Object.assign(this, { offered, at: -1 });
    const item = ({ tag, all, pictures }, place) =>
      h("li", { role: "option", "data-place": place, "aria-selected": "false" }, tag, h("span", {}, number(all ?? pictures)));
    put(this.offers, offered.map(item));
    show(this.offers, offered.length > 0);
    this.input.setAttribute("aria-expanded", String(offered.length > 0));
  }

  move(way) {
    this.at = (this.at + way + this.offered.length) % this.offered.length;
    [...this.offers.children].forEach((item, place) => item.setAttribute("aria-selected", String(place === this.at)));
  }

  take(place) {
    const { start } = this.fragment();
    const rest = this.value.slice(this.input.selectionStart);
    const end = rest.search(/[,\n]/);
    const after = end < 0 ? "" : rest.slice(end);
    const text = `${this.value.slice(0, start)}${this.offered[place].tag}`;
    this.input.value = text + after;
    this.input.setSelectionRange(text.length, text.length);
    this.offer([]);
    this.onInput();
    this.count();
  }

  click(event) {
    const item = event.target.closest("[data-place]");
    if (item) {
      event.preventDefault(); // or the field would lose the keyboard first
      this.take(Number(item.dataset.place));
    }
  }

  key(event) {
    if (!this.offered.length || event.ctrlKey || event.metaKey) {
      return;
    }
    const ways = { ArrowDown: 1, ArrowUp: -1 };
    const isTaken = event.key === "Tab" || (event.key === "Enter" && this.at >= 0);
    if (event.key in ways) {
      this.move(ways[event.key]);
    } else if (isTaken && !event.shiftKey) {
      this.take(Math.max(0, this.at));
    } else if (event.key === "Escape") {
      this.offer([]);
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }
}
