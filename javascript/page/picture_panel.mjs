// One picture beside the gallery: before and after, its facts, and its caption to change in place.

import { CaptionField } from "./caption_field.mjs";
import { button, h, put, say, show } from "./dom.mjs";
import { sizes, troubles } from "./picture_card.mjs";
import { pictureCut } from "./picture_cut.mjs";
import { bytes, counted } from "./words.mjs";

const FILES = new Set([".txt", ".caption"]);

/** `captions` is asked about captions; `background()` gives the colour behind transparent or too narrow pictures. */
export class PicturePanel {
  constructor(context, captions, background) {
    const { gallery } = captions;
    Object.assign(this, { context, captions, gallery, background, picture: null, saved: new Set() });
    captions.onOutside((files) => this.changedOutside(files));
    captions.onChange(() => this.renew());
    this.title = h("h3", { class: "trainer-grow trainer-file" });
    this.previous = button("←", () => this.move(-1), {
      "aria-label": "Previous picture",
      title: "Previous picture (Page up)",
    });
    this.next = button("→", () => this.move(1), { "aria-label": "Next picture", title: "Next picture (Page down)" });
    const head = h(
      "div",
      { class: "trainer-row" },
      this.title,
      this.previous,
      this.next,
      button("Close", () => this.close()),
    );
    this.views = h("div", { class: "trainer-before-after" });
    this.facts = h("p", { class: "trainer-quiet" });
    this.troubles = h("p", { class: "trainer-column" });
    this.caption = new CaptionField(captions, () => this.showChanged());
    this.elsewhere = h("div", { class: "trainer-warning", role: "alert", hidden: true });
    this.saving = button("Save", () => this.save(), { kind: "primary", title: "Ctrl+Enter" });
    this.undoing = button("Undo", () => this.undo(), { title: "Back to the caption before the last save" });
    this.hint = h(
      "p",
      { class: "trainer-quiet" },
      "Ctrl+Enter saves and goes to the next picture; Page up and Page down go to its neighbours.",
    );
    this.element = h(
      "aside",
      { class: "trainer-card trainer-picture-panel", hidden: true, "aria-label": "Picture" },
      head,
      this.views,
      this.facts,
      this.troubles,
      this.caption.element,
      this.elsewhere,
      h("div", { class: "trainer-row" }, this.saving, this.undoing),
      this.hint,
    );
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  async open(picture) {
    if (this.isChanged() && !(await this.save())) {
      return;
    }
    this.picture = picture;
    show(this.element, true);
    this.draw();
    this.gallery.mark(picture.n);
  }

  async close() {
    if (this.isChanged() && !(await this.save())) {
      return;
    }
    const card = this.gallery.cardOf(this.picture?.n);
    this.hide();
    card?.focus();
  }

  /** Close without asking, as another folder is shown. */
  forget() {
    this.hide();
    this.saved.clear();
  }

  hide() {
    this.gallery.mark(null);
    this.picture = null;
    show(this.element, false);
  }

  draw() {
    const { picture } = this;
    say(this.title, picture.file);
    this.title.title = picture.file;
    put(this.views, this.before(picture), this.after(picture));
    const told = [
      picture.width && sizes(picture),
      bytes(picture.bytes),
      picture.repeats > 1 && `seen ${counted(picture.repeats, "time")} an epoch`,
      picture.caption &&
        `caption from ${FILES.has(picture.caption_source) ? `its ${picture.caption_source} file` : picture.caption_source}`,
    ];
    say(this.facts, told.filter(Boolean).join(" · "));
    put(this.troubles, troubles(picture));
    this.write(picture.caption ?? "");
    this.caption.input.disabled = Boolean(picture.problem);
    this.showNeighbours();
  }

  /** Show a text as the caption that is in the file. */
  write(text) {
    this.caption.value = text;
    this.revision = this.captions.run === this.gallery.run ? this.captions.revision : undefined;
    show(this.elsewhere, false);
    this.showChanged();
  }

  /** Captions were changed by rules or taken back: show the new one, unless somebody is writing here. */
  async renew() {
    const { picture } = this;
    const now = picture && !this.isChanged() ? await this.gallery.picture(picture.n).catch(() => null) : null;
    if (now && picture === this.picture && !this.isChanged()) {
      this.picture = now;
      this.draw();
    }
  }

  /** Another program changed captions: it is said where this one is among them and being written. */
  async changedOutside(files) {
    const { picture } = this;
    if (!picture || !files.includes(picture.file) || !this.isChanged()) {
      return;
    }
    const now = await this.gallery.find(picture.file).catch(() => null);
    if (now && picture === this.picture) {
      this.picture = now;
      const words = `Another program changed this caption meanwhile: “${now.caption}”.`;
      const take = button("Take that", () => this.write(now.caption ?? ""));
      const keep = button("Keep mine", () => this.keepMine());
      put(this.elsewhere, h("p", {}, words), h("div", { class: "trainer-row" }, take, keep));
      show(this.elsewhere, true);
    }
  }

  keepMine() {
    this.revision = this.captions.revision;
    show(this.elsewhere, false);
    this.caption.input.focus();
  }

  showNeighbours() {
    this.previous.disabled = this.gallery.beside(this.picture, -1) === null;
    this.next.disabled = this.gallery.beside(this.picture, 1) === null;
  }

  before({ n, thumb, width, height, crop, how }) {
    if (!thumb) {
      return null;
    }
    const part = ([low, high], whole) => [`${(100 * low) / whole}%`, `${(100 * (high - low)) / whole}%`];
    let box = null;
    if (crop && width && how !== "fit") {
      const [left, across] = part([crop[0], crop[2]], width);
      const [top, down] = part([crop[1], crop[3]], height);
      box = h("span", { class: "trainer-crop", style: { left, top, width: across, height: down } });
    }
    const frame = h(
      "span",
      { class: "trainer-before" },
      h("img", { src: this.gallery.source(n), alt: "The picture as it is" }),
      box,
    );
    return h("figure", {}, frame, h("figcaption", {}, "as it is"));
  }

  after(picture) {
    if (!picture.thumb || !picture.target) {
      return null;
    }
    const { n, target, pieces } = picture;
    const cut = (piece) =>
      pictureCut(piece, this.gallery.source(n), this.background(), "The picture as it is trained on");
    const all = (pieces ?? [{}]).map((piece) => cut({ ...picture, ...piece }));
    const words = pieces ? `as prepared, ${counted(pieces.length, "piece")}` : `as prepared, ${target[0]} × ${target[1]}`;
    return h("figure", {}, all, h("figcaption", {}, words));
  }

  isChanged() {
    return Boolean(this.picture) && !this.picture.problem && this.caption.value !== (this.picture.caption ?? "");
  }

  showChanged() {
    this.saving.disabled = !this.isChanged();
    this.undoing.disabled = !this.saved.has(this.picture?.n) && !this.isChanged();
  }

  /** Write the caption beside the picture; whether it is there now. */
  async save() {
    if (!this.isChanged()) {
      return true;
    }
    return this.change("caption", { n: this.picture.n, text: this.caption.value, revision: this.revision }, true);
  }

  async undo() {
    if (this.isChanged()) {
      this.write(this.picture.caption ?? "");
      return;
    }
    await this.change("caption/undo", { n: this.picture.n }, false);
  }

  async change(what, data, canUndo) {
    try {
      const route = this.context.route("runs", this.gallery.run, ...what.split("/"));
      const picture = await this.context.api.post(route, data);
      this.saved[canUndo ? "add" : "delete"](picture.n);
      this.gallery.replace(picture);
      if (this.picture?.n === picture.n) {
        this.picture = picture;
        this.draw();
      }
      this.captions.look().catch(() => {}); // what can be taken back; asked again soon anyway
      setTimeout(() => this.showChanged()); // after the button's own end
      return true;
    } catch (error) {
      this.context.tell(error);
      return false;
    }
  }

  async move(way) {
    const next = await this.gallery.picture(this.gallery.beside(this.picture, way));
    if (next) {
      await this.open(next);
      setTimeout(() => this.picture && this.showNeighbours()); // after the button's own end
    }
  }

  async key(event) {
    const isText = event.target === this.caption.input;
    const ways = { PageUp: -1, PageDown: 1, ...(isText ? {} : { ArrowLeft: -1, ArrowRight: 1 }) };
    event.stopPropagation(); // the WebUI takes Ctrl+Enter for Generate
    if (event.key in ways) {
      event.preventDefault();
      await this.move(ways[event.key]);
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      if (await this.save()) {
        await this.move(1);
        this.caption.input.focus();
      }
    } else if (event.key === "Escape") {
      await this.close();
    }
  }
}
