// One finding of the doctor: how bad it is, in a sentence, its pictures, and buttons that mend or list it.

import { button, h, put, show } from "./dom.mjs";
import { folded } from "./report.mjs";
import { counted } from "./words.mjs";

const LEVELS = { bad: "Bad", warning: "Warning", info: "Worth knowing" };
const NO_PICTURES = new Set(["corrupt", "other kind"]); // findings about files that no picture can be made of
const THUMBS = 8;
const TOLD = 200; // lines about single pictures

/**
 * `acts`: {context, folder, thumb(file), look(), list(files, title, section), refresh(files), option(config)}: what the
 * part around it does for its buttons.
 */
export class FindingCard {
  constructor(finding, acts) {
    Object.assign(this, { finding, acts });
    const { level, title, sentence } = finding;
    this.buttons = h("div", { class: "trainer-row" });
    this.after = h("div", { class: "trainer-row", role: "status", hidden: true });
    const badge = h("span", { class: `trainer-badge trainer-level-${level}` }, LEVELS[level]);
    const head = h("div", { class: "trainer-row" }, badge, h("h4", {}, title));
    const parts = [head, h("p", {}, sentence), this.thumbs(), this.told(), this.buttons, this.after];
    this.element = h("article", { class: "trainer-finding", "data-kind": finding.kind, "data-level": level }, parts);
    this.showButtons();
  }

  /** A few of the pictures, where the gallery knows them. */
  thumbs() {
    const files = NO_PICTURES.has(this.finding.kind) ? [] : this.finding.files;
    const shown = files.slice(0, THUMBS).map((file) => [file, this.acts.thumb(file)]).filter(([, source]) => source);
    const pictures = shown.map(([file, source]) => h("img", { src: source, alt: file, title: file, loading: "lazy" }));
    const more = files.length - shown.length;
    return shown.length
      ? h("div", { class: "trainer-finding-thumbs" }, pictures, more > 0 && h("span", { class: "trainer-quiet" }, `+ ${more}`))
      : null;
  }

  /** What is said of single pictures, folded. */
  told() {
    const lines = Object.entries(this.finding.told);
    if (!lines.length) {
      return null;
    }
    const items = lines.slice(0, TOLD).map(([file, words]) => h("li", {}, h("b", {}, file), ` ${words}`));
    const more = lines.length > TOLD && h("li", {}, `and ${lines.length - TOLD} more`);
    return folded(counted(lines.length, "file"), [h("ul", { class: "trainer-finding-files" }, items, more)]);
  }

  showButtons() {
    const { files, fix, title } = this.finding;
    const mend = fix && fix.act !== "list" && button(fix.label, () => this.mend(fix), { kind: "primary" });
    const section = fix?.config?.section;
    const label = fix?.act === "list" ? fix.label : "Show them";
    const list = files.length > 0 && !NO_PICTURES.has(this.finding.kind);
    const open = list && button(label, () => this.acts.list(files, title, section));
    put(this.buttons, mend, open);
    show(this.buttons, Boolean(mend || open));
  }

  mend({ act, config }) {
    const { files, title } = this.finding;
    const mends = {
      bin: () => this.toBin(),
      step: () => this.acts.list(files, title, "crop"),
      option: () => this.acts.option(config),
    };
    return mends[act]();
  }

  async toBin() {
    const { context, folder } = this.acts;
    const { files, title } = this.finding;
    try {
      const told = { folder, files, reason: title, look: this.acts.look() };
      this.showMoved(await context.api.post(context.route("bin"), told));
    } catch (error) {
      context.tell(error);
    }
    await this.acts.refresh(files);
  }

  showMoved({ moved, failures, bin }) {
    const undo = moved.length > 0 && button("Bring them back", () => this.bringBack(moved));
    const failed = failures.map(({ file, reason }) => h("p", { class: "trainer-error" }, `${file}: ${reason}`));
    put(this.after, h("p", {}, `${counted(moved.length, "picture")} moved to ${bin}.`), undo, failed);
    show(this.after, true);
    show(this.buttons, false);
    this.element.classList.add("trainer-finding-done");
  }

  async bringBack(moved) {
    const { context, folder } = this.acts;
    try {
      const told = { folder, entries: moved.map(({ id }) => id), look: this.acts.look() };
      const { failures } = await context.api.post(context.route("bin", "restore"), told);
      const failed = failures.map(({ file, reason }) => h("p", { class: "trainer-error" }, `${file}: ${reason}`));
      put(this.after, failed);
      show(this.after, failures.length > 0);
      show(this.buttons, true);
      this.element.classList.remove("trainer-finding-done");
    } catch (error) {
      context.tell(error);
    }
    await this.acts.refresh(this.finding.files);
  }
}
