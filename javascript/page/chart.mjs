// A line chart of a run's losses: zoom by dragging, values under the pointer or by arrow keys, colours by the theme.

import { extent, firstAt, nearest, smooth } from "./curve.mjs";
import { h, put } from "./dom.mjs";
import { axes, dots, HEIGHT, lines, MARGIN, nothing, scaled, shape } from "./plot.mjs";
import { readout, short } from "./readout.mjs";

const SMOOTHINGS = [0, 0.01, 0.02, 0.05, 0.1, 0.2]; // parts of what is shown
const SMALLEST_DRAG = 6; // pixels; less is a click

/**
 * `element` is what to place on the page. `set(losses, heldOut)` takes what is to be shown, in the order of their steps:
 * losses {step, epoch, value, rates} with `epoch` counted from 1, held-out {step, epoch, value}.
 */
export class Chart {
  #losses = [];
  #heldOut = [];
  #steps = [];
  #values = [];
  #smoothed = [];
  #range = null; // [first step, last step] when zoomed
  #at = null; // the step under the crosshair
  #dragged = null; // x in pixels where dragging began
  #size = 0;
  #scale = null;

  constructor({ label = "Loss curve", id = "trainer-chart" } = {}) {
    this.label = label;
    this.svg = shape("svg", { class: "trainer-chart-plot", height: HEIGHT, tabindex: 0, role: "img", id });
    this.values = h("div", { class: "trainer-chart-values", "aria-live": "polite" });
    this.reset = h("button", { type: "button", class: "trainer-button trainer-plain", hidden: true }, "Show all steps");
    this.smoothing = h("input", { type: "range", min: 0, max: SMOOTHINGS.length - 1, value: 3, id: `${id}-smoothing` });
    this.smoothingTold = h("span", { class: "trainer-subdued" });
    this.element = h("div", { class: "trainer-chart" }, this.#head(), this.svg, this.values);
    this.#listen();
    this.watch = new ResizeObserver(([entry]) => this.#resized(entry.contentRect.width));
    this.watch.observe(this.element);
  }

  set(losses, heldOut) {
    const grown =
      losses.length !== this.#losses.length ||
      heldOut.length !== this.#heldOut.length ||
      losses.at(-1) !== this.#losses.at(-1);
    const sameRun = losses[0] === this.#losses[0];
    this.#losses = losses.filter((loss) => Number.isFinite(loss.value));
    this.#heldOut = heldOut.filter((loss) => Number.isFinite(loss.value));
    this.#steps = this.#losses.map((loss) => loss.step);
    this.#values = this.#losses.map((loss) => loss.value);
    this.#range = sameRun ? this.#range : null;
    this.#at = sameRun ? this.#at : null;
    if (grown || !sameRun || !this.#scale) {
      this.#draw();
    }
  }

  /** What the chart shows in a sentence, for whoever can't see it. */
  summary() {
    if (!this.#losses.length && !this.#heldOut.length) {
      return `${this.label}: nothing yet.`;
    }
    const told = [`${this.label}, ${this.#losses.length} steps.`];
    if (this.#losses.length) {
      const ends = [this.#smoothed[0], this.#smoothed.at(-1)].map(short);
      told.push(`Smoothed training loss from ${ends[0]} to ${ends[1]} at step ${this.#steps.at(-1)}.`);
    }
    if (this.#heldOut.length) {
      const best = this.#heldOut.reduce((low, loss) => (loss.value < low.value ? loss : low));
      told.push(`Held-out loss lowest after epoch ${best.epoch}: ${short(best.value)}.`);
    }
    return [...told, "Arrow keys move along the curve, + and - zoom, Escape shows all."].join(" ");
  }

  destroy() {
    this.watch.disconnect();
  }

  #head() {
    const key = (name, text) => h("span", { class: `trainer-chart-key ${name}` }, text);
    const smoothing = h(
      "label",
      { class: "trainer-chart-smoothing" },
      "Smoothing ",
      this.smoothing,
      this.smoothingTold,
    );
    this.keys = [key("raw", "each step"), key("train", "training loss"), key("held", "held-out loss")];
    return h("div", { class: "trainer-chart-head" }, ...this.keys, this.reset, smoothing);
  }

  #listen() {
    this.smoothing.addEventListener("input", () => this.#draw());
    this.reset.addEventListener("click", () => this.#zoom(null));
    this.svg.addEventListener("dblclick", () => this.#zoom(null));
    this.svg.addEventListener("pointerdown", (event) => this.#press(event));
    this.svg.addEventListener("pointermove", (event) => this.#move(event));
    this.svg.addEventListener("pointerup", (event) => this.#release(event));
    this.svg.addEventListener("pointercancel", () => this.#endDrag());
    this.svg.addEventListener("pointerleave", () => this.#dragged === null && this.#point(null));
    this.svg.addEventListener("blur", () => this.#point(null));
    this.svg.addEventListener("keydown", (event) => this.#key(event));
  }

  #resized(width) {
    if (Math.floor(width) !== this.#size) {
      this.#size = Math.floor(width);
      this.#draw();
    }
  }

  #allSteps() {
    const last = Math.max(this.#steps.at(-1) ?? 0, this.#heldOut.at(-1)?.step ?? 0);
    const first = Math.min(this.#steps[0] ?? last, this.#heldOut[0]?.step ?? last);
    return last > first ? [first, last] : [Math.max(0, first - 1), first + 1];
  }

  #draw() {
    const [from, to] = this.#range ?? this.#allSteps();
    const inside = [firstAt(this.#steps, from), firstAt(this.#steps, to + 1)];
    const span = Math.round((inside[1] - inside[0]) * SMOOTHINGS[this.smoothing.value]);
    this.#smoothed = smooth(this.#values, span);
    this.smoothingTold.textContent = span > 1 ? `over ${span} steps` : "none";
    this.smoothing.setAttribute("aria-valuetext", this.smoothingTold.textContent);
    this.svg.setAttribute("aria-label", this.summary());
    this.reset.hidden = this.#range === null;
    this.keys[0].hidden = span <= 1 || !this.#losses.length;
    this.keys[1].hidden = !this.#losses.length;
    this.keys[2].hidden = !this.#heldOut.length;
    if (this.#size < MARGIN.left + MARGIN.right + 20) {
      return; // not on the screen yet
    }
    if (!this.#losses.length && !this.#heldOut.length) {
      this.#scale = null;
      this.svg.replaceChildren(...nothing(this.#size, "The first loss comes after the first step."));
      return;
    }
    const held = this.#heldOut.filter((loss) => loss.step >= from && loss.step <= to).map((loss) => loss.value);
    const faint = span > 1 ? this.#values.slice(...inside) : [];
    this.#scale = scaled(this.#size, [from, to], extent([...this.#smoothed.slice(...inside), ...held], faint));
    this.#paint(span);
    this.#point(this.#at);
  }

  #paint(span) {
    const { height } = this.#scale;
    const heldOut = {
      name: "held",
      steps: this.#heldOut.map((loss) => loss.step),
      values: this.#heldOut.map((loss) => loss.value),
    };
    const drawn = [{ name: "train", steps: this.#steps, values: this.#smoothed }, heldOut];
    if (span > 1) {
      drawn.unshift({ name: "raw", steps: this.#steps, values: this.#values });
    }
    this.cross = shape("line", { class: "cross", y1: MARGIN.top, y2: MARGIN.top + height, visibility: "hidden" });
    this.dots = ["train", "held"].map((name) => shape("circle", { class: `${name} here`, r: 5, visibility: "hidden" }));
    this.chosen = shape("rect", { class: "chosen", y: MARGIN.top, height, width: 0 });
    this.svg.replaceChildren(
      ...axes(this.#scale),
      lines(this.#scale, drawn),
      ...dots(this.#scale, this.#heldOut),
      this.chosen,
      this.cross,
      ...this.dots,
    );
  }

  /** Put the crosshair on the point nearest to a step, and say its values. */
  #point(step) {
    this.#at = step;
    if (!this.#scale) {
      return;
    }
    const loss = step === null ? undefined : this.#losses[nearest(this.#steps, step)];
    const held = step === null ? undefined : this.#nearHeldOut(loss?.step ?? step);
    this.#mark(this.dots[0], loss && { step: loss.step, value: this.#smoothed[firstAt(this.#steps, loss.step)] });
    this.#mark(this.dots[1], held);
    const here = loss ?? held;
    this.cross.setAttribute("visibility", here ? "visible" : "hidden");
    if (!here) {
      this.values.textContent = "Point at the curve for its values; drag over a range to enlarge it.";
      return;
    }
    const x = this.#scale.x(here.step);
    this.cross.setAttribute("x1", x);
    this.cross.setAttribute("x2", x);
    const smoothed = loss && this.#smoothed[firstAt(this.#steps, loss.step)];
    put(this.values, readout(loss, smoothed, held));
  }

  #nearHeldOut(step) {
    const steps = this.#heldOut.map((loss) => loss.step);
    const found = this.#heldOut[nearest(steps, step)];
    const { from, to, width } = this.#scale;
    return found && Math.abs(found.step - step) <= Math.max(1, ((to - from) / width) * 8) ? found : undefined;
  }

  #mark(dot, point) {
    dot.setAttribute("visibility", point ? "visible" : "hidden");
    if (point) {
      dot.setAttribute("cx", this.#scale.x(point.step));
      dot.setAttribute("cy", this.#scale.y(point.value));
    }
  }

  #x(event) {
    const { width } = this.#scale;
    return Math.min(MARGIN.left + width, Math.max(MARGIN.left, event.clientX - this.svg.getBoundingClientRect().left));
  }

  #press(event) {
    if (this.#scale && event.button === 0) {
      this.#dragged = this.#x(event);
      this.svg.setPointerCapture(event.pointerId);
    }
  }

  #move(event) {
    if (!this.#scale) {
      return;
    }
    const x = this.#x(event);
    if (this.#dragged !== null) {
      this.chosen.setAttribute("x", Math.min(x, this.#dragged));
      this.chosen.setAttribute("width", Math.abs(x - this.#dragged));
    }
    this.#point(this.#scale.stepAt(x));
  }

  #release(event) {
    if (this.#dragged === null) {
      return;
    }
    const ends = [this.#dragged, this.#x(event)].sort((one, other) => one - other);
    this.#endDrag();
    if (ends[1] - ends[0] >= SMALLEST_DRAG) {
      this.#zoom(ends.map(this.#scale.stepAt));
    }
  }

  #endDrag() {
    this.#dragged = null;
    this.chosen?.setAttribute("width", 0);
  }

  #zoom(range) {
    const [first, last] = this.#allSteps();
    const [from, to] = range ? [Math.max(first, range[0]), Math.min(last, range[1])] : [first, last];
    if (range && to - from < 2) {
      return; // there is nothing between two steps
    }
    this.#range = range && (from > first || to < last) ? [from, to] : null;
    this.#draw();
  }

  #key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, PageUp: -20, PageDown: 20 };
    const here = nearest(this.#steps, this.#at ?? this.#steps.at(-1));
    const { from, to } = this.#scale ?? { from: 0, to: 1 };
    const middle = this.#at ?? (from + to) / 2;
    if (event.key in moves && here >= 0) {
      const stride = moves[event.key] * Math.max(1, Math.round((to - from) / (this.#scale?.width || 1)));
      this.#point(this.#steps[Math.min(this.#steps.length - 1, Math.max(0, here + stride))]);
    } else if (event.key === "+" || event.key === "-") {
      const half = ((to - from) / 2) * (event.key === "+" ? 0.5 : 2);
      this.#zoom([middle - half, middle + half]);
    } else if (event.key === "Escape") {
      this.#zoom(null);
    } else {
      return;
    }
    event.preventDefault();
  }
}
