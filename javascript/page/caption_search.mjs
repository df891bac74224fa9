// Finding pictures by the words and tags of their captions: and, or, not.

import { debounced, h, say } from "./dom.mjs";
import { counted } from "./words.mjs";

const QUIET_MILLISECONDS = 50;
const HOW =
  'Words and tags: fox night; "red fur" or fur; -dog or not dog; tag:"red hair"; name:img_; tokens>75; tags<3; ' +
  "is:empty; is:twice; brackets ( ) group.";

/** Shows in the gallery what fits; `tell(error)` says what is wrong with a search. */
export class CaptionSearch {
  constructor(captions, gallery, tell) {
    Object.assign(this, { captions, gallery, tell, query: "", revision: null });
    this.soon = debounced(() => this.look(), QUIET_MILLISECONDS);
    this.input = h("input", {
      type: "search",
      class: "trainer-input",
      id: "trainer-captions-search",
      placeholder: "cat and not dog",
      spellcheck: "false",
      oninput: this.soon,
    });
    this.said = h("span", { class: "trainer-quiet", role: "status" });
    gallery.onChange(() => this.galleryChanged());
    const label = h("label", { class: "trainer-stacked", title: HOW }, "Find in captions", this.input);
    this.element = h("div", { class: "trainer-card trainer-column" }, label, h("p", { class: "trainer-quiet" }, HOW), this.said);
  }

  /** Add a tag to the search, or take it out again. */
  toggle(tag, isUnwanted = false) {
    const asked = `${isUnwanted ? "-" : ""}tag:"${tag.replace(/["\\]/g, "\\$&")}"`;
    const parts = this.query.includes(asked) ? this.query.replace(asked, "") : `${this.query} ${asked}`;
    this.input.value = parts.replace(/\s+/g, " ").trim();
    return this.look();
  }

  /** Somebody shows other pictures than those that were found: the search has ended. */
  galleryChanged() {
    if (this.found && this.gallery.only !== this.found) {
      this.found = null;
      this.query = "";
      this.input.value = "";
      say(this.said, "");
    }
  }

  async look() {
    const query = this.input.value.trim();
    const isSame = query === this.query && this.revision === this.captions.revision;
    if (!this.gallery.run || isSame) {
      return;
    }
    const hadQuery = Boolean(this.query);
    Object.assign(this, { query, revision: this.captions.revision });
    if (!query) {
      say(this.said, "");
      this.found = null;
      await (hadQuery ? this.gallery.showAll() : null);
      return;
    }
    try {
      const { total, files } = await this.captions.ask("search", { query });
      if (query === this.query) {
        say(this.said, `${counted(total, "picture")} found`);
        this.found = null; // while they are put there, the gallery tells of a change
        const shown = this.gallery.showFiles(files, `Captions with ${query}`);
        this.found = this.gallery.only;
        await shown;
      }
    } catch (error) {
      say(this.said, "");
      this.tell(error);
    }
  }
}
