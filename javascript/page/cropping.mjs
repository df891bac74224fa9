// A part of the section Crop: how the pictures will be cropped, all at once, and boxes drawn by hand.

import { CropEditor } from "./crop_editor.mjs";
import { button, h, say } from "./dom.mjs";
import { counted } from "./words.mjs";

const WORDS =
  "The pictures below are shown as the options cut them; nothing is written before you press “Prepare copies”. Where a " +
  "crop is not to your liking, draw it.";

export function section(context, stop) {
  return new Cropping(context, stop);
}

class Cropping {
  constructor(context, stop) {
    Object.assign(this, { context, stop });
    const again = (picture, before) => this.changed(picture, before);
    this.editor = new CropEditor(context, stop.gallery, again);
    this.cut = h("input", {
      type: "checkbox", class: "trainer-check", id: "trainer-show-cropped", checked: true, onchange: () => this.showCut(),
    });
    this.draw = button("Draw crop boxes…", () => this.edit(), { id: "trainer-draw-boxes" });
    this.said = h("span", { class: "trainer-quiet", role: "status" });
    const asCropped = h("label", { class: "trainer-ticked" }, this.cut, "Show the pictures as they will be cropped");
    const row = h("div", { class: "trainer-row" }, asCropped, this.draw, this.said);
    this.element = h("section", { class: "trainer-card trainer-column" }, h("p", { class: "trainer-quiet" }, WORDS), row);
    this.stops = [stop.gallery.onChange(() => this.showState()), stop.onLooked(() => this.showState())];
  }

  show() {
    this.showCut();
    this.showState();
  }

  hide() {
    this.stop.gallery.showCut(null);
  }

  end() {
    this.stops.forEach((stop) => stop());
  }

  showCut() {
    const background = this.stop.preparing.form.values().background ?? "white";
    this.stop.gallery.showCut(this.cut.checked ? background : null);
  }

  /** The pictures that boxes are drawn on: those that are chosen, or else all that are shown. */
  get files() {
    const chosen = this.stop.gallery.selected();
    return chosen.length ? chosen : this.stop.gallery.shown();
  }

  showState() {
    const { files } = this;
    this.draw.disabled = !files.length;
    const chosen = this.stop.gallery.selected().length;
    say(this.said, chosen ? `on the ${counted(chosen, "picture")} that you chose` : "on any of the pictures; choose some to see only those");
  }

  async edit() {
    try {
      await this.editor.open(this.files, this.stop.panel.picture?.file);
    } catch (error) {
      this.context.tell(error);
    }
    if (this.isOld) {
      this.isOld = false;
      this.stop.startLook();
    }
  }

  /** Only a new look can tell how a picture is cropped that had its box before the look. */
  changed(picture, before) {
    this.isOld ||= !picture.drawn && before.drawn && !before.before_box;
    if (this.stop.panel.picture?.n === picture.n) {
      this.stop.panel.open(picture);
    }
  }
}
