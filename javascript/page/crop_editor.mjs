// Drawing a crop box on a picture: by mouse or touch, or by the keyboard; its shape is one of the training sizes.

import { between, edges, grown, largest, moved, shaped } from "./crop_box.mjs";
import { button, h, on, put, say } from "./dom.mjs";
import { pictureCut } from "./picture_cut.mjs";
import { number } from "./words.mjs";

const CORNERS = ["nw", "ne", "sw", "se"];
const STEP = 0.01; // of the longer side, by an arrow key
const GROWTH = 1.04; // by + and −
const WORDS =
  "Drag the box or its corners, or draw a new one. Arrows move it (Shift: by one pixel), + and − make it larger and " +
  "smaller, Page up and Page down go to the other pictures, Enter saves.";

/** `gallery` gives the pictures; `onChange(picture)` is called with each picture whose box was kept or forgotten. */
export class CropEditor {
  constructor(context, gallery, onChange) {
    Object.assign(this, { context, gallery, onChange });
    this.title = h("h2", { class: "trainer-grow trainer-file", id: "trainer-crop-title" });
    this.count = h("span", { class: "trainer-quiet" });
    this.previous = button("←", () => this.move(-1), { "aria-label": "Previous picture", title: "Page up" });
    this.next = button("→", () => this.move(1), { "aria-label": "Next picture", title: "Page down" });
    this.picture = h("img", { class: "trainer-crop-picture", alt: "", draggable: "false" });
    const handles = CORNERS.map((corner) => h("span", { class: `trainer-crop-handle trainer-crop-${corner}`, "data-corner": corner }));
    this.frame = h("div", { class: "trainer-crop-box", tabindex: "0", role: "application", id: "trainer-crop-box",
      "aria-label": "Crop box", "aria-describedby": "trainer-crop-words" }, handles);
    this.stage = h("div", { class: "trainer-crop-stage" }, this.picture, this.frame);
    this.shapes = h("select", { class: "trainer-input", id: "trainer-crop-shape", onchange: () => this.reshape() });
    this.after = h("div", { class: "trainer-crop-after" });
    this.facts = h("p", { class: "trainer-quiet", role: "status" });
    this.element = this.layout();
  }

  layout() {
    const head = h("div", { class: "trainer-row" }, this.title, this.count, this.previous, this.next);
    const shape = h("label", { class: "trainer-stacked" }, "Shape", this.shapes);
    this.keep = button("Save", () => this.save(), { kind: "primary", id: "trainer-crop-save", title: "Enter" });
    this.undo = button("Undo", () => this.reset(), { title: "Back to how it was when this picture was opened" });
    this.forget = button("Remove the box", () => this.remove(), { id: "trainer-crop-remove" });
    const acts = h("div", { class: "trainer-dialog-buttons" }, button("Close", () => this.element.close()), this.forget, this.undo, this.keep);
    const side = h("div", { class: "trainer-column trainer-crop-side" }, shape, this.after, this.facts,
      h("p", { class: "trainer-quiet", id: "trainer-crop-words" }, WORDS));
    const dialog = h("dialog", { class: "trainer-dialog trainer-crop-dialog", "aria-labelledby": "trainer-crop-title" },
      head, h("div", { class: "trainer-crop-both" }, this.stage, side), acts);
    on(dialog, "keydown", (event) => this.key(event));
    on(dialog, "close", () => this.closed());
    on(this.stage, "pointerdown", (event) => this.press(event));
    on(this.picture, "error", () => this.useSmall());
    return dialog;
  }

  /** Open on these files, at one of them; the answer comes when it is closed. */
  async open(files, first = files[0]) {
    this.files = files;
    const { shapes } = await this.context.api.get(this.context.route("runs", this.gallery.run, "shapes"));
    put(this.shapes, shapes.map(([width, height]) => h("option", { value: `${width} ${height}` }, `${number(width)} × ${number(height)}`)));
    this.context.page.append(this.element);
    this.element.showModal();
    this.ended = new Promise((resolve) => Object.assign(this, { end: resolve }));
    if (!(await this.show(Math.max(0, files.indexOf(first)))) && !(await this.show(files.length - 1, -1))) {
      this.element.close();
      throw new Error("None of these pictures can be opened.");
    }
    this.frame.focus();
    return this.ended;
  }

  closed() {
    this.element.remove();
    this.end?.();
  }

  /** Show the picture at this place, or the next one on this way that can be opened; whether there is one. */
  async show(wanted, way = 1) {
    let place = wanted;
    let told = null;
    while (place >= 0 && place < this.files.length && !told) {
      const found = await this.gallery.find(this.files[place]);
      told = found && !found.problem && found.width ? found : null;
      place += told ? 0 : way;
    }
    if (!told) {
      return false;
    }
    this.place = place;
    this.told = told;
    this.drawTold();
    return true;
  }

  drawTold() {
    const { place } = this;
    const { n, file, width, height, target, crop } = this.told;
    this.size = { width, height };
    say(this.title, file);
    say(this.count, `${number(place + 1)} of ${number(this.files.length)}`);
    this.previous.disabled = place === 0;
    this.next.disabled = place === this.files.length - 1;
    this.source = this.context.api.address(this.context.route("runs", this.gallery.run, "original"), { n });
    this.picture.src = this.source;
    this.picture.style.setProperty("aspect-ratio", `${width} / ${height}`);
    this.picture.alt = file;
    const wanted = target.join(" ");
    this.shapes.value = [...this.shapes.options].some(({ value }) => value === wanted) ? wanted : this.nearest(target);
    const [left, top, right, bottom] = crop;
    this.began = shaped({ left, top, width: right - left, height: bottom - top }, this.shape, this.size);
    this.began = this.told.drawn || this.told.how === "crop" ? this.began : largest(this.shape, this.size);
    this.isChanged = false;
    this.draw(this.began);
  }

  /** The original can't be shown by browsers, such as TIFF: its small copy can. */
  useSmall() {
    const small = this.gallery.source(this.told.n);
    if (this.source !== small) {
      this.source = small;
      this.picture.src = small;
      this.draw(this.box);
    }
  }

  nearest([width, height]) {
    const away = ({ value }) => {
      const [wide, high] = value.split(" ").map(Number);
      return Math.abs(Math.log((wide * height) / (high * width)));
    };
    return [...this.shapes.options].reduce((one, other) => (away(other) < away(one) ? other : one)).value;
  }

  get target() {
    return this.shapes.value.split(" ").map(Number);
  }

  get shape() {
    return this.target[0] / this.target[1];
  }

  reshape() {
    this.change(shaped(this.box, this.shape, this.size));
  }

  reset() {
    this.show(this.place);
    this.frame.focus();
  }

  change(box) {
    this.isChanged = true;
    this.draw(box);
  }

  draw(box) {
    this.box = box;
    const { width, height } = this.size;
    const style = { left: box.left / width, top: box.top / height, width: box.width / width, height: box.height / height };
    for (const [name, share] of Object.entries(style)) {
      this.frame.style.setProperty(name, `${100 * share}%`);
    }
    const crop = edges(box, this.size);
    const picture = { ...this.size, crop, target: this.target, how: "crop" };
    put(this.after, pictureCut(picture, this.source, "", "The picture as it will be cropped"));
    const times = this.target[0] / box.width;
    const how = times > 1.05 ? `enlarged ${times.toFixed(1)}×` : `made ${(1 / times).toFixed(1)}× smaller`;
    say(this.facts, `${number(Math.round(box.width))} × ${number(Math.round(box.height))} of ${number(width)} × ${number(height)}, ${how}`);
    this.keep.disabled = !this.isChanged;
    this.forget.disabled = !this.told.drawn;
  }

  /** Where in the picture a pointer is. */
  point({ clientX, clientY }) {
    const seen = this.picture.getBoundingClientRect();
    const x = ((clientX - seen.left) / seen.width) * this.size.width;
    const y = ((clientY - seen.top) / seen.height) * this.size.height;
    return { x: Math.max(0, Math.min(this.size.width, x)), y: Math.max(0, Math.min(this.size.height, y)) };
  }

  press(event) {
    if (event.button !== 0) {
      return;
    }
    event.preventDefault();
    this.frame.focus();
    const start = this.point(event);
    const { corner } = event.target.dataset;
    const before = this.box;
    const isMove = event.target === this.frame;
    const fixed = corner ? opposite(before, corner) : start;
    const drag = (now) => {
      const point = this.point(now);
      if (isMove) {
        this.change(moved(before, point.x - start.x, point.y - start.y, this.size));
      } else if (corner || Math.hypot(point.x - start.x, point.y - start.y) > 4) {
        this.change(between(fixed, point, this.shape, this.size));
      }
    };
    this.stage.setPointerCapture(event.pointerId);
    const stops = [on(this.stage, "pointermove", drag), on(this.stage, "pointerup", () => release()), on(this.stage, "pointercancel", () => release())];
    const release = () => stops.forEach((stop) => stop());
  }

  key(event) {
    event.stopPropagation(); // the WebUI has keys of its own
    const isBox = event.target === this.frame;
    const step = event.shiftKey ? 1 : STEP * Math.max(this.size.width, this.size.height);
    const arrows = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const factor = { "+": GROWTH, "=": GROWTH, "-": 1 / GROWTH }[event.key];
    const way = { PageUp: -1, PageDown: 1 }[event.key];
    if (isBox && event.key in arrows) {
      this.change(moved(this.box, ...arrows[event.key], this.size));
    } else if (isBox && factor) {
      this.change(grown(this.box, this.box.width * factor, this.shape, this.size));
    } else if (isBox && event.key === "Enter") {
      this.keep.click();
    } else if (way) {
      this.move(way);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** To another picture; a box that was changed is kept. */
  async move(way) {
    const place = this.place + way;
    if (place >= 0 && place < this.files.length && (!this.isChanged || (await this.tell(edges(this.box, this.size))))) {
      (await this.show(place, way)) || (await this.show(this.place));
      this.frame.focus();
    }
  }

  async save() {
    if (await this.tell(edges(this.box, this.size))) {
      await this.show(this.place);
      setTimeout(() => this.frame.focus()); // after the button's own end
    }
  }

  async remove() {
    if (await this.tell([])) {
      await this.show(this.place);
    }
  }

  /** Have the box kept beside the pictures, or forgotten; whether it is done. */
  async tell(box) {
    try {
      const route = this.context.route("runs", this.gallery.run, "box");
      const picture = await this.context.api.post(route, { n: this.told.n, box });
      this.gallery.replace(picture);
      this.onChange(picture, this.told);
      return true;
    } catch (error) {
      this.context.tell(error);
      return false;
    }
  }
}

function opposite({ left, top, width, height }, corner) {
  return { x: corner.includes("w") ? left + width : left, y: corner.includes("n") ? top + height : top };
}
