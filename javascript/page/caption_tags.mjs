// The tags of the captions with how many pictures have each, also those that come together with one of them.

import { button, debounced, h, put, say, show } from "./dom.mjs";
import { folded } from "./report.mjs";
import { counted, number } from "./words.mjs";

const MOST = 200;
const QUIET_MILLISECONDS = 250;
const OFTEN = 0.5; // of the pictures: such a tag is learned together with the concept

/** `search` is told of tags that are clicked. */
export class CaptionTags {
  constructor(captions, gallery, search, tell) {
    Object.assign(this, { captions, gallery, search, tell, beside: "", turn: 0 });
    this.soon = debounced(() => this.look(), QUIET_MILLISECONDS);
    this.begin = h("input", {
      type: "search",
      class: "trainer-input",
      id: "trainer-captions-tags-begin",
      placeholder: "Tags that begin with…",
      "aria-label": "Tags that begin with",
      oninput: this.soon,
    });
    this.said = h("span", { class: "trainer-quiet trainer-grow", role: "status" });
    this.alone = button("All tags", () => this.with(""), { kind: "plain" });
    this.list = h("ul", { class: "trainer-tag-counts", id: "trainer-captions-tags" });
    const head = h("div", { class: "trainer-row" }, this.said, this.alone);
    this.element = folded("Tags and how often they come", [this.begin, head, this.list], { open: true });
    this.element.addEventListener("toggle", () => this.look());
  }

  /** Show the tags that come together with this one. */
  with(tag) {
    this.beside = tag;
    return this.look();
  }

  async look() {
    if (!this.gallery.run || !this.element.open) {
      return;
    }
    this.turn += 1;
    const { turn } = this;
    const shown = this.gallery.shown();
    const chosen = this.gallery.selected();
    const isAll = !chosen.length && shown.length === this.gallery.names.length;
    const files = isAll ? {} : { files: chosen.length ? chosen : shown };
    try {
      const told = await this.captions.ask("tags", { begin: this.begin.value.trim(), with: this.beside, most: MOST, ...files });
      if (turn === this.turn) {
        this.draw(told);
      }
    } catch (error) {
      this.tell(error);
    }
  }

  draw({ pictures, tags, total }) {
    const among = this.beside ? `${counted(pictures, "picture")} with “${this.beside}”` : counted(pictures, "picture");
    const more = total > tags.length ? `, the first ${number(tags.length)}` : "";
    say(this.said, `${counted(total, "tag")} in ${among}${more}`);
    show(this.alone, Boolean(this.beside));
    put(this.list, tags.map((entry) => this.row(entry)));
  }

  row({ tag, pictures, share }) {
    const isOften = share > OFTEN;
    const percent = `${Math.round(100 * share)} %`;
    const name = button(tag, () => this.search.toggle(tag), { kind: "plain", title: `Show the pictures with “${tag}”` });
    const not = button("not", () => this.search.toggle(tag, true), { kind: "plain", title: `Leave out the pictures with “${tag}”` });
    const beside = button("with", () => this.with(tag), { kind: "plain", title: `What comes together with “${tag}”` });
    const title = isOften ? `${percent}: in over half of these pictures, so it is learned together with the concept` : percent;
    const bar = h("span", { class: "trainer-tag-share", style: { width: percent.replace(" ", "") } });
    const count = h("span", { class: "trainer-tag-count" }, number(pictures));
    return h("li", { class: isOften && "trainer-tag-often", title }, bar, name, count, not, beside);
  }
}
