// What lies in the bin of the folder of pictures, and bringing it back.

import { button, h, put, say, show } from "./dom.mjs";
import { folded } from "./report.mjs";
import { counted, moment } from "./words.mjs";

const SHOWN = 100;

/** `folder()` is the folder of pictures, `look()` the look that shows it, `moved()` is called after some came back. */
export class BinList {
  constructor(context, { folder, look, moved }) {
    Object.assign(this, { context, folder, look, moved, entries: [] });
    this.said = h("p", { class: "trainer-quiet", role: "status" });
    this.list = h("ul", { class: "trainer-finding-files trainer-bin" });
    this.all = button("Bring all back", () => this.bringBack(this.entries));
    const acts = h("div", { class: "trainer-row" }, this.all);
    this.element = folded("The bin", [this.said, this.list, acts], { id: "trainer-bin-list", hidden: true });
  }

  /** The files that lie in the bin. */
  get files() {
    return new Set(this.entries.map(({ file }) => file));
  }

  async refresh() {
    const folder = this.folder();
    if (!folder) {
      show(this.element, false);
      return;
    }
    try {
      const { bin, entries } = await this.context.api.get(this.context.route("bin"), { folder });
      this.entries = entries;
      this.draw(bin);
    } catch (error) {
      say(this.said, error.message);
      show(this.element, true);
    }
  }

  draw(bin) {
    const more = this.entries.length - SHOWN;
    say(this.said, `${counted(this.entries.length, "picture")} in ${bin}. Nothing in it is used for training.`);
    const lines = this.entries.slice(0, SHOWN).map((entry) => this.line(entry));
    put(this.list, lines, more > 0 && h("li", {}, `and ${more} more`));
    show(this.element, this.entries.length > 0);
  }

  line(entry) {
    const { file, reason, time } = entry;
    const back = button("Bring back", () => this.bringBack([entry]), { kind: "plain", "aria-label": `Bring ${file} back` });
    return h("li", {}, h("b", {}, file), reason && ` ${reason},`, ` ${moment(time)} `, back);
  }

  async bringBack(entries) {
    try {
      const told = { folder: this.folder(), entries: entries.map(({ id }) => id), look: this.look() };
      const { failures } = await this.context.api.post(this.context.route("bin", "restore"), told);
      failures.forEach(({ file, reason }) => this.context.tell(new Error(`${file}: ${reason}`)));
    } catch (error) {
      this.context.tell(error);
    }
    await this.refresh();
    this.moved();
  }
}
