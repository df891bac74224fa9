// The numbers behind a line chart: smoothing, thinning out, and readable ticks.

/**
 * A smooth line through `values`: each is the mean of its neighbours on both sides, weighted less the farther they lie.
 * `span` is about how many values count; 1 or less leaves them as they are. Nothing lags behind, as both sides count.
 */
export function smooth(values, span) {
  const keep = span > 1 ? 1 - 2 / (span + 1) : 0;
  const sums = new Float64Array(values.length);
  const weights = new Float64Array(values.length);
  const pass = (first, last, way, own) => {
    let sum = 0;
    let weight = 0;
    for (let place = first; place !== last; place += way) {
      sums[place] += keep * sum + own * values[place]; // a value itself counts once, not in both directions
      weights[place] += keep * weight + own;
      sum = values[place] + keep * sum;
      weight = 1 + keep * weight;
    }
  };
  pass(0, values.length, 1, 1);
  pass(values.length - 1, -1, -1, 0);
  return sums.map((sum, place) => sum / weights[place]);
}

/** Index of the first of the rising `steps` that is at least `step`. */
export function firstAt(steps, step) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** Index of the step nearest to `step`, -1 if there is none. */
export function nearest(steps, step) {
  const after = firstAt(steps, step);
  if (after === 0) {
    return steps.length ? 0 : -1;
  }
  const nearer = after === steps.length || step - steps[after - 1] <= steps[after] - step;
  return nearer ? after - 1 : after;
}

/**
 * The points [step, value] from `from` to `to` that a line `pixels` wide needs: first, lowest, highest and last of each
 * pixel, so that no peak is lost; one point beyond each side, so that the line goes on to the edge.
 */
export function thinned(steps, values, [from, to], pixels) {
  const begin = Math.max(0, firstAt(steps, from) - 1);
  const end = Math.min(steps.length, firstAt(steps, to) + 1);
  const perPixel = (to - from) / pixels;
  if (end - begin <= pixels * 2 || !(perPixel > 0)) {
    return Array.from({ length: end - begin }, (_, place) => [steps[begin + place], values[begin + place]]);
  }
  const points = [];
  for (let place = begin; place < end;) {
    const column = Math.floor((steps[place] - from) / perPixel);
    const first = place;
    let [lowest, highest] = [place, place];
    for (; place < end && Math.floor((steps[place] - from) / perPixel) === column; place += 1) {
      lowest = values[place] < values[lowest] ? place : lowest;
      highest = values[place] > values[highest] ? place : highest;
    }
    const kept = new Set([first, Math.min(lowest, highest), Math.max(lowest, highest), place - 1]);
    points.push(...[...kept].map((index) => [steps[index], values[index]]));
  }
  return points;
}

/** About `count` round numbers from `low` to `high`, and how many decimals tell them apart. */
export function ticks(low, high, count, whole = false) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = [1, 2, 5, 10].find((factor) => factor * power >= rough) * power;
  step = whole ? Math.max(1, Math.round(step)) : step;
  const places = [];
  for (let number = Math.ceil(low / step - 1e-9); number * step <= high + step * 1e-9; number += 1) {
    places.push(number * step + 0); // not -0
  }
  return { places, decimals: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

/**
 * The lowest and highest value to show: all `solid` values, and the `faint` ones but for the outermost two per cent at
 * either end, so that a single outlier does not flatten the curve; with a little room around.
 */
export function extent(solid, faint) {
  const sorted = Float64Array.from(faint).sort();
  const ends = sorted.length
    ? [sorted[Math.floor(sorted.length * 0.02)], sorted[Math.ceil(sorted.length * 0.98) - 1]]
    : [];
  let [low, high] = [Infinity, -Infinity];
  for (const value of [...ends, ...solid]) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(low <= high)) {
    return [0, 1];
  }
  const room = (high - low || Math.abs(high) || 1) * 0.06;
  return [low - room, high + room];
}
