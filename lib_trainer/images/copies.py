"""One prepared copy: which size it gets, its pixels, and the bytes of its file."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from PIL import Image

from lib_trainer.core.errors import ConfigError
from lib_trainer.images.buckets import (
    REDUCING_GAP,
    Box,
    Part,
    Size,
    bucket_sizes,
    cover,
    crop_to,
    nearest_bucket,
    part_shown,
    target_size,
)
from lib_trainer.images.options import PictureOptions, PrepareOptions
from lib_trainer.images.pictures import Picture
from lib_trainer.images.pixels import PIXEL_LIMIT, colour, open_picture

# Raise it when the same options begin to give other pixels, so that older copies are made again.
RECIPE_VERSION = 1
CUTTING = ("centre", "focal")  # ways to crop that leave nothing but the wanted size
SUFFIXES = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
Options = TypeVar("Options", bound=PictureOptions)
Enlarger = Callable[[Image.Image, float], Image.Image]  # an RGB picture and by how many times -> about that much larger
LONGEST_SIDE = {"png": 1_000_000, "jpeg": 65_500, "webp": 16_383}  # what the file formats hold, in pixels


@dataclass(frozen=True)
class Plan:
    """What becomes of one picture: cropped to `size`, only scaled to it, or fitted into it on a background."""

    how: Literal["crop", "scale", "fit"]
    size: Size
    box: Part | None = None  # what is left of it, where that is neither its middle nor all of it

    def part(self, width: int, height: int) -> Part:
        """The part (left, top, right, bottom) of a picture of this size, in its own pixels, that is left of it."""
        if self.box is not None:
            return self.box
        return part_shown(width, height, self.size) if self.how == "crop" else (0.0, 0.0, float(width), float(height))

    def enlargement(self, width: int, height: int) -> float:
        """How many times longer the sides of a picture of this size become; below 1 it is made smaller."""
        left, top, right, bottom = self.part(width, height)
        inner = self.inner(round(right - left), round(bottom - top)) if self.how == "fit" else self.size
        return inner[0] / (right - left)

    def inner(self, width: int, height: int) -> Size:
        """The size of a picture, or of what is left of it, inside its background."""
        scale = min(self.size[0] / width, self.size[1] / height)
        across, down = max(1, round(width * scale)), max(1, round(height * scale))
        return min(self.size[0], across), min(self.size[1], down)

    def place(self, inner: Size) -> Box:
        """Where a picture of that size lies on its background: left, top, right, bottom."""
        left, top = (self.size[0] - inner[0]) // 2, (self.size[1] - inner[1]) // 2
        return left, top, left + inner[0], top + inner[1]


@dataclass(frozen=True)
class Sizing(Generic[Options]):
    """How `prepare` and training size pictures, with the list of buckets worked out once."""

    options: Options
    sizes: list[Size]

    @classmethod
    def of(cls, options: Options) -> Sizing[Options]:
        """Work out the sizes.

        Raises:
            ConfigError: two options contradict each other.
        """
        buckets = options.buckets
        if options.resize == "exact" and buckets.no_upscale:
            raise ConfigError("'buckets.no_upscale' is true, but 'resize' is 'exact'; change one of them.")
        if options.resize != "buckets" and buckets.square:
            raise ConfigError(
                f"'buckets.square' is true, but 'resize' is '{options.resize}'; it goes with 'buckets' only."
            )
        return cls(options, bucket_sizes(buckets) if options.resize == "buckets" else [])

    def plan(self, width: int, height: int) -> Plan:
        """What becomes of a picture of this size."""
        buckets, cropped = self.options.buckets, self.options.crop in CUTTING
        if self.options.crop == "pad":
            return Plan("fit", self._frame(width, height))
        if self.options.resize == "exact":
            return Plan("crop" if cropped else "fit", (self.options.width, self.options.height))
        if cropped and self.options.resize == "buckets":
            return Plan("crop", target_size(width, height, buckets, self.sizes))
        side = buckets.resolution
        if cropped:
            side = min(side, width, height) if buckets.no_upscale else side
            return Plan("crop", (side, side))
        target = nearest_bucket(width, height, self.sizes) if self.options.resize == "buckets" else (side, side)
        scaled, _ = cover(width, height, target)
        enlarges = scaled[0] > width or scaled[1] > height
        return Plan("scale", (width, height) if enlarges and buckets.no_upscale else scaled)


    def _frame(self, width: int, height: int) -> Size:
        """The size to which a picture of this size is filled up."""
        if self.options.resize == "exact":
            return self.options.width, self.options.height
        if self.options.resize == "buckets":
            return target_size(width, height, self.options.buckets, self.sizes)
        side = self.options.buckets.resolution
        side = min(side, max(width, height)) if self.options.buckets.no_upscale else side
        return side, side


def too_large(plan: Plan, options: PrepareOptions) -> str:
    """Why such a copy can't be made, or nothing."""
    width, height = plan.size
    if max(plan.size) > LONGEST_SIDE[options.format] or width * height > PIXEL_LIMIT:
        return f"its copy would have {width} x {height} pixels, too many for {options.format}; crop it"
    return ""


def recipe(options: PrepareOptions, plan: Plan, picture: Picture) -> str:
    """All that a copy's pixels depend on besides the original."""
    larger = plan.enlargement(picture.width, picture.height) > 1 and options.enlarge != "lanczos"
    lossy = "" if options.format == "png" else f" quality {options.quality}"
    width, height = plan.size
    behind = "#{:02x}{:02x}{:02x}".format(*colour(options.background))
    by = f" enlarged by {options.enlarge} {options.upscaler}" if larger else ""
    box = "" if plan.box is None else " of " + ",".join(f"{edge:.3f}" for edge in plan.box)
    return f"{RECIPE_VERSION} {plan.how} {width}x{height}{box} on {behind} {options.format}{lossy}{by}"


def copy_bytes(picture: Picture, plan: Plan, options: PrepareOptions, enlarge: Enlarger | None = None) -> bytes:
    """The file of a copy; without `enlarge` Lanczos makes it larger where that is needed.

    Raises:
        PictureError: the original can't be decoded (any more).
        DeclinedError, StopRequested, OutputError: what `enlarge` raises.
    """
    image, behind = open_picture(picture.path, options.background), colour(options.background)
    if enlarge is not None and plan.enlargement(picture.width, picture.height) > 1:
        image = _enlarged(image, plan, behind, enlarge)
    else:
        image = _shaped(image, plan, behind)
    file = io.BytesIO()
    if options.format == "png":
        image.save(file, "PNG")
    elif options.format == "jpeg":
        image.save(file, "JPEG", quality=options.quality, subsampling="4:4:4")
    else:
        image.save(file, "WEBP", quality=options.quality)
    return file.getvalue()


def _shaped(image: Image.Image, plan: Plan, behind: tuple[int, int, int]) -> Image.Image:
    if plan.how == "crop" and plan.box is not None:
        return image.resize(plan.size, Image.Resampling.LANCZOS, box=plan.box, reducing_gap=REDUCING_GAP)
    if plan.how == "crop":
        return crop_to(image, plan.size)
    if plan.box is not None:
        left, top, right, bottom = map(round, plan.box)
        image = image.crop((left, top, right, bottom))
    inner = plan.inner(image.width, image.height) if plan.how == "fit" else plan.size
    return _framed(image, inner, plan, behind)


def _enlarged(image: Image.Image, plan: Plan, behind: tuple[int, int, int], enlarge: Enlarger) -> Image.Image:
    """The same of what is left of a picture, once that was made larger: about as large as it becomes."""
    left, top, right, bottom = plan.part(image.width, image.height)
    part = image.crop((math.floor(left), math.floor(top), math.ceil(right), math.ceil(bottom)))
    inner = plan.inner(round(right - left), round(bottom - top)) if plan.how == "fit" else plan.size
    return _framed(enlarge(part, plan.enlargement(image.width, image.height)), inner, plan, behind)


def _framed(image: Image.Image, inner: Size, plan: Plan, behind: tuple[int, int, int]) -> Image.Image:
    """The picture scaled to a size, in the middle of its background where that is not the whole."""
    if inner != image.size:
        image = image.resize(inner, Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP)
    if inner == plan.size:
        return image
    canvas = Image.new("RGB", plan.size, behind)
    canvas.paste(image, plan.place(inner)[:2])
    return canvas
