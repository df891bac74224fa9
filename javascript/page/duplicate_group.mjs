// One group of duplicates, side by side: a tick for each picture that stays, and a button that moves the others.

import { button, h, say, show } from "./dom.mjs";
import { bytes, counted, number } from "./words.mjs";

const KINDS = { same: "The same file", near: "Copies", mirrored: "Mirrored" };
const LOSSLESS = 100;

/** `acts`: {source(path), move(files, keep) -> the files that went, changed()}. */
export class DuplicateGroup {
  constructor(group, acts) {
    Object.assign(this, { group, acts, gone: new Set(), ticks: new Map() });
    const { kind, why, keep, pictures } = group;
    const badge = h("span", { class: "trainer-badge" }, KINDS[kind]);
    const said = kind === "mirrored" ? "Both may stay: mirroring changes a picture." : `Keep ${keep}: ${why}.`;
    this.act = button("", () => this.move());
    this.after = h("span", { class: "trainer-quiet", role: "status" });
    const cards = pictures.map((picture, place) => this.card(picture, place === 0 || kind === "mirrored"));
    this.element = h(
      "article",
      { class: "trainer-finding", "data-kind": kind, "aria-label": `${KINDS[kind]} of ${keep}` },
      h("div", { class: "trainer-row" }, badge, h("span", {}, said)),
      h("div", { class: "trainer-duplicates" }, cards),
      h("div", { class: "trainer-row" }, this.act, this.after),
    );
    this.showState();
  }

  card(picture, isKept) {
    const { file, thumb, width, height, caption } = picture;
    const tick = h("input", {
      type: "checkbox",
      class: "trainer-check",
      checked: isKept,
      "aria-label": `Keep ${file}`,
      onchange: () => this.showState(),
    });
    const image = thumb && h("img", { src: this.acts.source(thumb), alt: caption || file, loading: "lazy" });
    const card = h(
      "label",
      { class: "trainer-duplicate", title: file },
      h("span", { class: "trainer-found-frame" }, image || h("span", { class: "trainer-quiet" }, "not shown")),
      h("span", { class: "trainer-ticked" }, tick, "Keep"),
      h("b", { class: "trainer-found-name" }, file.split("/").pop()),
      h("span", { class: "trainer-quiet" }, `${number(width)} × ${number(height)}, ${bytes(picture.bytes)}`),
      h("span", { class: "trainer-quiet" }, facts(picture)),
      caption && h("span", { class: "trainer-found-caption" }, caption),
    );
    this.ticks.set(file, { tick, card });
    return card;
  }

  /** The pictures without a tick that are still there; none while nothing at all is ticked. */
  others() {
    const here = [...this.ticks].filter(([file]) => !this.gone.has(file));
    const others = here.filter(([, { tick }]) => !tick.checked).map(([file]) => file);
    return others.length < here.length ? others : [];
  }

  async move() {
    const others = this.others();
    if (others.length) {
      const kept = [...this.ticks.keys()].find((file) => !this.gone.has(file) && !others.includes(file));
      this.gone = new Set([...this.gone, ...(await this.acts.move(others, kept))]);
      this.showState();
    }
  }

  /** What lies in the bin now; all else is there again. */
  here(binned) {
    this.gone = new Set([...this.ticks.keys()].filter((file) => binned.has(file)));
    this.showState();
  }

  showState() {
    for (const [file, { tick, card }] of this.ticks) {
      tick.disabled = this.gone.has(file);
      card.classList.toggle("trainer-old", this.gone.has(file) || !tick.checked);
    }
    const others = this.others();
    say(this.act, `Move ${counted(others.length, "picture")} to the bin`);
    show(this.act, others.length > 0);
    const isBare = ![...this.ticks.values()].some(({ tick }) => tick.checked);
    say(this.after, isBare ? "Tick at least one to keep." : this.gone.size ? `${counted(this.gone.size, "picture")} in the bin.` : "");
    this.element.classList.toggle("trainer-finding-done", this.gone.size > 0 && !others.length);
    this.acts.changed();
  }
}

/** What tells copies apart, in a few words. */
function facts({ likeness, compression, bar }) {
  const said = [`${Math.floor(likeness * 100)} % alike`];
  if (compression && compression < LOSSLESS) {
    said.push(`JPEG quality ${compression}`);
  }
  if (bar) {
    said.push("has a bar");
  }
  return said.join(", ");
}
