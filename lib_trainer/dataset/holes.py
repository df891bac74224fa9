"""Holes in pictures for inpainting models: boxes and strokes that follow from the picture and a number alone.

So all runs, whatever their seed, share the latents of pictures with holes; which hole is shown follows from the seed.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import torch

from lib_trainer.dataset.cache import View
from lib_trainer.dataset.order import Size

if TYPE_CHECKING:
    from PIL import ImageDraw

BOXES, BOX_SIDES = (1, 3), (0.2, 0.6)  # how many; their sides as shares of the picture's
STROKES, CORNERS, WIDTHS = (1, 2), (2, 6), (0.1, 0.3)  # how many; bends of each; widths as shares of the shorter side


def with_holes(view: View, count: int) -> list[View]:
    """The view with each of so many holes."""
    return [replace(view, hole=number) for number in range(1, count + 1)]


def hole_of(view: View) -> torch.Tensor:
    """The hole of a view that has one [height, width], 1 inside and 0 outside."""
    from numpy import asarray
    from PIL import Image, ImageDraw

    random = Random(f"hole/{view.hole}/{view.digest}/{view.scaled}/{view.box}/{view.mirrored}")
    picture = Image.new("1", view.size)
    draw = ImageDraw.Draw(picture)
    if random.random() < 0.5:
        for _ in range(random.randint(*BOXES)):
            draw.rectangle(_box(view.size, random), fill=1)
    else:
        for _ in range(random.randint(*STROKES)):
            _stroke(draw, view.size, random)
    return torch.from_numpy(asarray(picture).copy()).float()


def around_hole(hole: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """What a model is told, [1 + c, h, w], of a hole [height, width] and the latents [c, h, w] of the holed picture.

    The mask is taken where the WebUI takes it: at the first pixel of each latent's place.
    """
    step = hole.shape[0] // kept.shape[1]
    return torch.cat([hole[None, ::step, ::step].to(kept), kept])


def _box(size: Size, random: Random) -> tuple[int, int, int, int]:
    wide, high = (max(1, round(side * random.uniform(*BOX_SIDES))) for side in size)
    left, top = random.randint(0, size[0] - wide), random.randint(0, size[1] - high)
    return left, top, left + wide - 1, top + high - 1


def _stroke(draw: ImageDraw.ImageDraw, size: Size, random: Random) -> None:
    width = max(1, round(min(size) * random.uniform(*WIDTHS)))
    corners = [(random.randrange(size[0]), random.randrange(size[1])) for _ in range(random.randint(*CORNERS))]
    draw.line(corners, fill=1, width=width, joint="curve")
    for x, y in (corners[0], corners[-1]):
        draw.ellipse((x - width // 2, y - width // 2, x + width // 2, y + width // 2), fill=1)
