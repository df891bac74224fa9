// A picture as it will be cropped, drawn from its small copy.

import { h } from "./dom.mjs";

/** `picture` as the listing tells it, `source` the address of a copy of any size, `background` the colour of padding. */
export function pictureCut({ width, height, crop, target, how }, source, background, alt) {
  const isFitted = how === "fit";
  const [left, top, right, bottom] = crop && (how === "crop" || !isWhole(crop, width, height)) ? crop : [0, 0, width, height];
  const [across, down] = [right - left, bottom - top];
  const cut = {
    width: `${(100 * width) / across}%`,
    height: `${(100 * height) / down}%`,
    left: `${(-100 * left) / across}%`,
    top: `${(-100 * top) / down}%`,
  };
  const picture = h("img", { src: source, class: "trainer-cut", style: cut, alt, draggable: "false" });
  if (!isFitted) {
    return h("span", { class: "trainer-after", style: { "aspect-ratio": `${target[0]} / ${target[1]}` } }, picture);
  }
  const scale = Math.min(target[0] / across, target[1] / down);
  const inside = { width: `${(100 * across * scale) / target[0]}%`, height: `${(100 * down * scale) / target[1]}%` };
  const frame = h("span", { class: "trainer-fitted", style: inside }, picture);
  const style = { "aspect-ratio": `${target[0]} / ${target[1]}`, background };
  return h("span", { class: "trainer-after trainer-padded", style }, frame);
}

function isWhole([left, top, right, bottom], width, height) {
  return left === 0 && top === 0 && right === width && bottom === height;
}
