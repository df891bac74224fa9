// The reckoning behind a crop box: it keeps its shape and stays in its picture. All in the picture's pixels.

const SMALLEST = 16; // pixels of a side

/** A box {left, top, width, height} of that shape (width / height), as large as fits around the middle of another. */
export function shaped(box, shape, size) {
  const area = box.width * box.height;
  return grown(box, Math.sqrt(area * shape), shape, size);
}

/** The largest box of that shape in the middle of a picture. */
export function largest(shape, size) {
  const width = Math.min(size.width, size.height * shape);
  const height = width / shape;
  return { left: (size.width - width) / 2, top: (size.height - height) / 2, width, height };
}

/** The box with another width around the same middle. */
export function grown(box, wanted, shape, size) {
  const width = limited(wanted, shape, size.width, size.height);
  const height = width / shape;
  const left = box.left + (box.width - width) / 2;
  const top = box.top + (box.height - height) / 2;
  return moved({ left, top, width, height }, 0, 0, size);
}

/** The box moved so far, but not out of the picture. */
export function moved(box, across, down, size) {
  const left = Math.max(0, Math.min(size.width - box.width, box.left + across));
  const top = Math.max(0, Math.min(size.height - box.height, box.top + down));
  return { ...box, left, top };
}

/** The box between a corner that stays and a point that is dragged. */
export function between(corner, point, shape, size) {
  const isLeft = point.x < corner.x;
  const isAbove = point.y < corner.y;
  const room = { width: isLeft ? corner.x : size.width - corner.x, height: isAbove ? corner.y : size.height - corner.y };
  const wanted = Math.max(Math.abs(point.x - corner.x), Math.abs(point.y - corner.y) * shape);
  const width = limited(wanted, shape, room.width, room.height);
  const height = width / shape;
  const left = isLeft ? corner.x - width : corner.x;
  const top = isAbove ? corner.y - height : corner.y;
  return moved({ left, top, width, height }, 0, 0, size);
}

/** Left, top, right and bottom in whole pixels, inside the picture. */
export function edges(box, size) {
  const left = Math.round(box.left);
  const top = Math.round(box.top);
  const right = Math.min(size.width, Math.max(left + 1, Math.round(box.left + box.width)));
  const bottom = Math.min(size.height, Math.max(top + 1, Math.round(box.top + box.height)));
  return [left, top, right, bottom];
}

function limited(wanted, shape, width, height) {
  const least = Math.max(SMALLEST, SMALLEST * shape);
  return Math.min(Math.max(wanted, least), width, height * shape);
}
