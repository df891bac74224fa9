// Many captions at once, beside the gallery: finding, tags and their counts, rules with a preview, and taking back.

import { CaptionRules } from "./caption_rules.mjs";
import { CaptionSearch } from "./caption_search.mjs";
import { CaptionSpelling } from "./caption_spelling.mjs";
import { CaptionTags } from "./caption_tags.mjs";
import { button, h, on, put, say, show } from "./dom.mjs";
import { counted, number } from "./words.mjs";

const MOST_NAMED = 5;

/** The part of the section Captions. */
export function section(context, stop) {
  return new CaptionSection(context, stop);
}

class CaptionSection {
  constructor(context, stop) {
    const { gallery, captions } = stop;
    Object.assign(this, { context, stop, gallery, captions });
    const told = (error) => this.trouble(error);
    this.search = new CaptionSearch(captions, gallery, told);
    this.tags = new CaptionTags(captions, gallery, this.search, told);
    this.rules = new CaptionRules(context, captions, { meant: () => this.meant(), apply: (rules) => this.apply(rules) });
    this.spelling = new CaptionSpelling(captions, {
      meant: () => this.meant(),
      onTake: (word, known) => this.rules.replaceWord(word, known),
      tell: told,
    });
    this.element = this.layout();
    this.stops = [
      captions.onChange(() => this.changed()),
      captions.onOutside((files) => this.changedOutside(files)),
      gallery.onChange(() => this.chosen()),
      stop.onLooked(() => captions.poll && captions.look().catch(told)),
      on(this.element, "keydown", (event) => this.key(event)),
    ];
  }

  layout() {
    this.back = button("Undo", () => this.turn("undo"), { id: "trainer-captions-undo", disabled: true });
    this.again = button("Redo", () => this.turn("redo"), { id: "trainer-captions-redo", disabled: true });
    this.said = h("p", { class: "trainer-quiet", role: "status" });
    this.outside = h("p", { class: "trainer-warning", role: "status", hidden: true });
    this.error = h("p", { class: "trainer-error", role: "alert", hidden: true });
    const head = h("div", { class: "trainer-row" }, this.said, h("span", { class: "trainer-grow" }), this.back, this.again);
    const parts = [head, this.outside, this.error, this.search.element, this.tags.element];
    parts.push(this.spelling.element, this.rules.element);
    return h("section", { class: "trainer-column trainer-caption-tools", "aria-label": "Captions" }, parts);
  }

  show() {
    this.captions.watch(() => this.element.getClientRects().length > 0);
    this.captions.look().then(() => this.changed(), (error) => this.trouble(error));
    this.rules.show();
  }

  hide() {
    this.captions.rest();
  }

  end() {
    this.captions.rest();
    this.stops.forEach((stop) => stop());
  }

  /** Which pictures are meant, and in words: those that are chosen, or else those that are shown. */
  meant() {
    const chosen = this.gallery.selected();
    if (chosen.length) {
      return { files: chosen, words: counted(chosen.length, "chosen picture") };
    }
    const shown = this.gallery.shown();
    return shown.length === this.gallery.names.length
      ? { files: null, words: `all ${counted(shown.length, "picture")}` }
      : { files: shown, words: `the ${counted(shown.length, "picture")} shown` };
  }

  chosen() {
    this.tags.soon();
    this.rules.soon();
  }

  changed() {
    const { captions } = this;
    show(this.error, false);
    say(this.said, captions.run ? `${number(captions.captioned)} of ${counted(captions.pictures, "picture")} captioned` : "");
    for (const [control, title, word] of [[this.back, captions.undo, "Undo"], [this.again, captions.redo, "Redo"]]) {
      control.disabled = !title;
      control.title = title ? `${word}: ${title}` : "";
    }
    this.search.soon();
    this.tags.soon();
    this.rules.soon();
  }

  changedOutside(files) {
    const named = files.slice(0, MOST_NAMED).join(", ");
    const more = files.length > MOST_NAMED ? ` and ${files.length - MOST_NAMED} more` : "";
    say(this.outside, `Another program changed ${counted(files.length, "caption")} (${named}${more}); they are shown as they are now.`);
    show(this.outside, true);
  }

  async apply(rules) {
    const { files } = this.meant();
    const title = rules.length === 1 ? `Rule “${rules[0].kind}”` : `${rules.length} rules`;
    const { revision } = this.captions;
    await this.act("apply", { rules, title, revision, ...(files ? { files } : {}) });
  }

  turn(what) {
    return this.act(what, {});
  }

  async act(what, data) {
    try {
      const done = await this.captions.change(what, data);
      const left = done.left.map(({ file, why }) => `${file}: ${why}`);
      const act = { apply: "changed", undo: "put back", redo: "changed again" }[what];
      this.context.toast(`${counted(done.changed.length, "caption")} ${act}.`);
      if (left.length) {
        this.trouble(new Error(`${counted(left.length, "caption")} left as it was: ${left.slice(0, MOST_NAMED).join("; ")}.`));
      }
    } catch (error) {
      this.trouble(error);
    }
    setTimeout(() => this.buttons()); // after the button's own end
  }

  buttons() {
    this.back.disabled = !this.captions.undo;
    this.again.disabled = !this.captions.redo;
  }

  trouble(error) {
    put(this.error, error.message);
    show(this.error, true);
  }

  key(event) {
    const isText = ["INPUT", "TEXTAREA", "SELECT"].includes(event.target.tagName);
    const isTurn = (event.ctrlKey || event.metaKey) && ["z", "y"].includes(event.key.toLowerCase());
    if (isText || !isTurn) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.turn(event.key.toLowerCase() === "y" || event.shiftKey ? "redo" : "undo");
  }
}
