"""Sizes for training: which there are, which one suits a picture, and how it is scaled and cropped to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.options import BucketOptions

if TYPE_CHECKING:
    from PIL.Image import Image

Size = tuple[int, int]
Box = tuple[int, int, int, int]
Part = tuple[float, float, float, float]

# Pillow may halve a picture that is at least this much too large before it filters; no difference can be seen.
REDUCING_GAP = 3.0


def bucket_sizes(options: BucketOptions) -> list[Size]:
    """All (width, height) in pixels, sorted: sides are multiples of the step, areas at most resolution squared.

    For each width the height is the largest that the area allows, as in kohya's sd-scripts (`make_bucket_resolutions`);
    unlike there, the longest side grows with the area, unless the user limits it.

    Raises:
        ConfigError: no size fulfils all options together.
    """
    if options.step > options.resolution:
        raise ConfigError(
            f"'buckets.step' is {options.step}; it must be at most the resolution, which is {options.resolution}."
        )
    side = _floor(options.resolution, options.step)
    if options.square:
        return [(side, side)]
    low, high = side_limits(options)
    sizes = {(side, side)}
    for width in range(low, high + 1, options.step):
        height = min(high, _floor(options.resolution**2 // width, options.step))
        if height >= low:
            sizes |= {(width, height), (height, width)}
    return sorted(sizes)


def side_limits(options: BucketOptions) -> Size:
    """The shortest and the longest side in pixels, both multiples of the step.

    Raises:
        ConfigError: the wished limits contradict each other or the resolution.
    """
    resolution, step = options.resolution, options.step
    half = math.floor(resolution // 2 / step + 0.5) * step
    low = max(step, half if options.min_side is None else math.ceil(options.min_side / step) * step)
    wished = max(2 * resolution, resolution**2 // low) if options.max_side is None else options.max_side
    high = _floor(wished, step)
    if low > _floor(resolution, step):
        raise ConfigError(
            f"'buckets.min_side' is {options.min_side}, which is {low} in steps of {step}; "
            f"it must be at most the resolution, which is {resolution}."
        )
    if high < _floor(resolution, step):
        raise ConfigError(
            f"'buckets.max_side' is {options.max_side}; it must be at least the resolution, which is {resolution}."
        )
    return low, high


def nearest_bucket(width: int, height: int, sizes: Sequence[Size]) -> Size:
    """The size whose shape is nearest to the picture's, by the distance of the logarithms of width / height.

    Of equally near sizes the larger one is taken.
    """
    shape = math.log(width / height)
    return min(sizes, key=lambda size: (round(abs(math.log(size[0] / size[1]) - shape), 9), -size[0] * size[1], size))


def target_size(width: int, height: int, options: BucketOptions, sizes: Sequence[Size]) -> Size:
    """The size in which a picture is trained: its nearest bucket, or with `no_upscale` its own if that is smaller.

    Its own size is cut down to multiples of the step, to the longest side and to the area; it is at least one step.
    """
    bucket = nearest_bucket(width, height, sizes)
    if not options.no_upscale or (width >= bucket[0] and height >= bucket[1]):
        return bucket
    step = options.step
    short = max(step, _floor(min(width, height, options.resolution), step))
    if options.square:
        return short, short
    _, high = side_limits(options)
    long = max(step, min(_floor(max(width, height), step), high, _floor(options.resolution**2 // short, step)))
    return (long, short) if width >= height else (short, long)


def training_sizes(pictures: Sequence[Size], choices: Sequence[BucketOptions]) -> list[list[Size]]:
    """The sizes in which each picture is trained at one or more resolutions, none of them twice.

    Raises:
        ConfigError: no size fulfils all options together.
    """
    sizes = [bucket_sizes(options) for options in choices]
    return [
        list(dict.fromkeys(target_size(*picture, *choice) for choice in zip(choices, sizes, strict=True)))
        for picture in pictures
    ]


def cover(width: int, height: int, target: Size) -> tuple[Size, Box]:
    """How a picture fills `target`: the size to scale it to, and the centred box (left, top, right, bottom) to cut out.

    The scaled size keeps the picture's shape, touches the target on one side and overhangs on the other.
    """
    wide, high = target
    if wide * height >= high * width:
        scaled = wide, max(high, _round_ratio(height * wide, width))
    else:
        scaled = max(wide, _round_ratio(width * high, height)), high
    left, top = (scaled[0] - wide) // 2, (scaled[1] - high) // 2
    return scaled, (left, top, left + wide, top + high)


def part_shown(width: int, height: int, target: Size) -> Part:
    """The part (left, top, right, bottom) of a picture, in its own pixels, that `cover` leaves of it."""
    return part_of((width, height), *cover(width, height, target))


def part_of(size: Size, scaled: Size, box: Box) -> Part:
    """The part of a picture of that size, in its own pixels, that lies in the box once the picture is scaled."""
    width, height = size
    across, down = width / scaled[0], height / scaled[1]
    return box[0] * across, box[1] * down, min(box[2] * across, width), min(box[3] * down, height)


def crop_to(image: Image, target: Size) -> Image:
    """The picture scaled and cropped to `target` as `cover` says, filtered with Lanczos."""
    return cut(image, *cover(image.width, image.height, target))


def cut(image: Image, scaled: Size, box: Box) -> Image:
    """The picture scaled and then cropped to the box (left, top, right, bottom), filtered with Lanczos."""
    from PIL.Image import Resampling

    target = box[2] - box[0], box[3] - box[1]
    if image.size == scaled == target:
        return image
    # Filtering straight from the source's part keeps a very long, thin picture from becoming a huge one in between.
    part = part_of(image.size, scaled, box)
    return image.resize(target, Resampling.LANCZOS, box=part, reducing_gap=REDUCING_GAP)


def _floor(number: int, step: int) -> int:
    return number // step * step


def _round_ratio(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)
