// A picture of the gallery as a card, and what is told of it in words.

import { h } from "./dom.mjs";
import { pictureCut } from "./picture_cut.mjs";
import { number } from "./words.mjs";

/**
 * `picture` is null while nothing but its file is known; `source` the address of its small copy. With `cut`, the colour of
 * padding, it is shown as it will be cropped.
 */
export function pictureCard({ n, file, picture, source, isChosen, isOpen, cut = null }) {
  const classes = ["trainer-found", picture?.problem && "trainer-found-bad", isOpen && "trainer-found-open"];
  const attributes = { class: classes, role: "option", "data-n": n, title: file, "aria-selected": String(isChosen) };
  const tick = h("span", { class: "trainer-found-tick", title: "Choose (Space)", "aria-hidden": "true" });
  const name = h("span", { class: "trainer-found-name" }, file.split("/").pop());
  return h("div", attributes, frame(picture, source, cut), tick, name, picture && facts(picture));
}

function frame(picture, source, cut) {
  if (source && cut !== null && picture.target && !picture.problem) {
    const inside = pictureCut(picture, source, cut, picture.caption || "");
    inside.style.setProperty("--trainer-shape", picture.target[0] / picture.target[1]);
    return h("span", { class: "trainer-found-frame trainer-found-cut" }, inside);
  }
  const inside = source
    ? h("img", { src: source, loading: "lazy", fetchpriority: "low", alt: picture.caption || "", draggable: "false" })
    : picture && h("span", { class: "trainer-quiet" }, "can't be shown");
  return h("span", { class: "trainer-found-frame" }, inside);
}

function facts(picture) {
  const said = troubles(picture);
  const more = said.length > 1 ? h("span", { class: "trainer-quiet" }, ` and ${said.length - 1} more`) : null;
  said[0]?.append(more ?? "");
  return [
    picture.width ? h("span", { class: "trainer-quiet" }, sizes(picture)) : null,
    picture.pieces && h("span", { class: "trainer-quiet" }, `cut into ${picture.pieces.length} pieces`),
    picture.drawn && h("span", { class: "trainer-quiet" }, "crop drawn by you"),
    picture.caption && h("span", { class: "trainer-found-caption" }, picture.caption),
    said[0],
  ];
}

/** "1,024 × 768, becomes 512 × 384". */
export function sizes({ width, height, target }) {
  const whole = `${number(width)} × ${number(height)}`;
  return target ? `${whole} → ${number(target[0])} × ${number(target[1])}` : whole;
}

/** What is wrong with a picture, or worth knowing, each as a line of words. */
export function troubles({ problem, warnings }) {
  const bad = problem ? [h("span", { class: "trainer-error" }, problem)] : [];
  return [...bad, ...(warnings ?? []).map((warning) => h("span", { class: "trainer-warning" }, warning))];
}
