// The values of one place on a loss curve, in words.

import { h } from "./dom.mjs";

/** A number in few letters, as a loss or a learning rate is read: 0.1234, 3e-4. */
export function short(value) {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 10_000)
    ? value
        .toExponential(2)
        .replace(/\.?0+e/, "e")
        .replace("e+", "e")
    : String(Number(value.toPrecision(4)));
}

function rates(told) {
  const parts = Object.entries(told ?? {});
  const values = new Set(parts.map(([, rate]) => rate));
  const named = ([part, rate]) => `${part.replaceAll("_", " ").replace("unet", "U-Net")} ${short(rate)}`;
  return values.size > 1 ? parts.map(named).join(", ") : [...values].map(short).join("");
}

/** A training loss {step, epoch, value, rates, prior, weight} with its smoothed value, and a held-out loss {epoch, value}: either may lack. */
export function readout(loss, smoothed, held) {
  const pair = (name, value) => h("span", {}, `${name} `, h("b", {}, String(value)));
  const when = held?.epoch ? `after epoch ${held.epoch}` : "before training";
  return [
    loss && [pair("step", loss.step), pair("epoch", loss.epoch), pair("loss", short(loss.value))],
    loss && smoothed !== loss.value && pair("smoothed", short(smoothed)),
    typeof loss?.prior === "number" && pair("class loss", `${short(loss.prior)} × ${short(loss.weight)}`),
    loss && rates(loss.rates) && pair("learning rate", rates(loss.rates)),
    held && pair(`held-out loss ${when}`, short(held.value)),
  ];
}
