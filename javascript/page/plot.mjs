// What a line chart draws: scale, axes, lines and dots, as SVG.

import { thinned, ticks } from "./curve.mjs";

const NAMESPACE = "http://www.w3.org/2000/svg";
export const MARGIN = { left: 56, right: 12, top: 8, bottom: 34 };
export const HEIGHT = 300;

/** An SVG element. */
export function shape(name, attributes = {}, text = "") {
  const made = document.createElementNS(NAMESPACE, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.textContent = text;
  return made;
}

/** Where steps and values lie in pixels, on a plot that is `size` pixels wide with its margins. */
export function scaled(size, [from, to], [low, high]) {
  const [width, height] = [size - MARGIN.left - MARGIN.right, HEIGHT - MARGIN.top - MARGIN.bottom];
  const x = (step) => MARGIN.left + ((step - from) / (to - from)) * width;
  const y = (value) => MARGIN.top + (1 - (value - low) / (high - low)) * height;
  const stepAt = (place) => from + ((place - MARGIN.left) / width) * (to - from);
  return { from, to, low, high, width, height, x, y, stepAt };
}

/** The axes with their numbers and grid lines. */
export function axes({ from, to, low, high, width, height, x, y }) {
  const [right, bottom] = [MARGIN.left + width, MARGIN.top + height];
  const across = ticks(from, to, Math.max(2, width / 90), true);
  const up = ticks(low, high, 6);
  const values = up.places.flatMap((value) => [
    shape("line", { class: "grid", x1: MARGIN.left, x2: right, y1: y(value), y2: y(value) }),
    shape("text", { x: MARGIN.left - 6, y: y(value) + 4, "text-anchor": "end" }, value.toFixed(up.decimals)),
  ]);
  const steps = across.places.flatMap((step) => [
    shape("line", { class: "tick", x1: x(step), x2: x(step), y1: bottom, y2: bottom + 4 }),
    shape(
      "text",
      { x: x(step), y: bottom + 16, "text-anchor": x(step) > right - 24 ? "end" : "middle" },
      Math.round(step).toLocaleString("en"),
    ),
  ]);
  const axis = shape("path", { class: "axis", d: `M${MARGIN.left} ${MARGIN.top}V${bottom}H${right}` });
  const name = shape("text", { x: right, y: HEIGHT - 3, "text-anchor": "end", class: "name" }, "step");
  return [...values, ...steps, axis, name];
}

/** An empty plot that says why. */
export function nothing(size, sentence) {
  return [shape("text", { x: size / 2, y: HEIGHT / 2, "text-anchor": "middle" }, sentence)];
}

/** Lines {name, steps, values}, cut off at the edges of the plot. */
export function lines(scale, told) {
  const { from, to, width, height, x, y } = scale;
  const plot = shape("svg", {
    x: MARGIN.left,
    y: MARGIN.top,
    width,
    height,
    viewBox: `${MARGIN.left} ${MARGIN.top} ${width} ${height}`,
  });
  plot.append(
    ...told.map(({ name, steps, values }) => {
      const points = thinned(steps, values, [from, to], width);
      const moves = points.map(
        ([step, value], place) => `${place ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`,
      );
      return shape("path", { class: name, d: moves.join("") });
    }),
  );
  return plot;
}

/** A dot on each of the points {step, value} that lie within the plot. */
export function dots({ from, to, width, x, y }, points) {
  const seen = points.filter(({ step }) => step >= from && step <= to);
  const r = width / seen.length < 10 ? 1.5 : 3.5; // so that they don't run into one another
  return seen.map(({ step, value }) => shape("circle", { class: "held", r, cx: x(step), cy: y(value) }));
}
