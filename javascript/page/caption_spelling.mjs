// Words in captions that nobody knows, with known ones that are near: in one caption, or in all that are meant.

import { button, h, put, say, show } from "./dom.mjs";
import { folded } from "./report.mjs";
import { counted } from "./words.mjs";

const MOST = 100;

/** The unknown words of one text; `onTake(word, suggestion)` is called when one is to be put right. */
export class SpellingMarks {
  constructor(onTake) {
    this.onTake = onTake;
    this.element = h("p", { class: "trainer-misspelled", id: "trainer-caption-spelling", role: "status", hidden: true });
  }

  show(words) {
    show(this.element, words.length > 0);
    put(this.element, words.length ? "Perhaps misspelled: " : "", words.map((each) => marked(each, this.onTake)));
  }
}

/** The unknown words of many captions. `onTake(word, suggestion)` makes a rule of it. */
export class CaptionSpelling {
  constructor(captions, { meant, onTake, tell }) {
    Object.assign(this, { captions, meant, onTake, tell });
    this.said = h("p", { class: "trainer-quiet", role: "status" });
    this.list = h("ul", { class: "trainer-tag-counts trainer-spelling", id: "trainer-captions-spelling" });
    const look = button("Check the spelling", () => this.look(), { id: "trainer-captions-spell" });
    this.element = folded("Spelling", [h("div", {}, look), this.said, this.list], { id: "trainer-captions-spelling-fold" });
  }

  async look() {
    const { files, words: meant } = this.meant();
    try {
      const { words } = await this.captions.ask("spelling", files ? { files } : {});
      say(this.said, words.length ? `${counted(words.length, "unknown word")} in ${meant}` : `Every word in ${meant} is known.`);
      put(this.list, words.slice(0, MOST).map((each) => this.row(each)));
    } catch (error) {
      this.tell(error);
    }
  }

  row({ word, suggested, files }) {
    const { gallery } = this.captions;
    const title = `Captions with “${word}”`;
    const seen = button(counted(files.length, "picture"), () => gallery.showFiles(files, title), { kind: "plain", title });
    return h("li", {}, h("span", {}, marked({ word, suggested }, this.onTake)), seen);
  }
}

/** A word as it stands there, and a button for each word that may be meant. */
function marked({ word, suggested }, onTake) {
  const takes = suggested.map((each) => button(each, () => onTake(word, each), { kind: "plain", title: `Write “${each}” for “${word}”` }));
  return [h("mark", {}, word), takes.length ? " → " : " ", takes];
}
