"""The crops of one picture that training shows, drawn from the seed and the picture's content."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from lib_trainer.dataset.cache import View
from lib_trainer.dataset.crop_options import CropOptions
from lib_trainer.dataset.order import Size


def crops(middle: View, options: CropOptions, seed: int) -> tuple[View, ...]:
    """The views that are shown of a picture, each once, all of the size of `middle`, which shows its middle.

    With jitter the picture is scaled a little larger than it need be, and what is shown of it moves: within what
    `middle` shows, or within the whole picture where the place is random.
    """
    if not options.varied:
        return (middle,)
    places = [f"{seed}/crop/{middle.digest}/{middle.size}/{number}" for number in range(options.variants)]
    return tuple(dict.fromkeys(_crop(middle, options, Random(place)) for place in places))


def _crop(middle: View, options: CropOptions, random: Random) -> View:
    zoom = 1 / (1 - options.jitter * random.random())
    wide, high = middle.size
    scaled: Size = max(wide, round(middle.scaled[0] * zoom)), max(high, round(middle.scaled[1] * zoom))
    left, top = random.random(), random.random()
    if options.place == "random":
        corner = _somewhere(left, 0, scaled[0] - wide), _somewhere(top, 0, scaled[1] - high)
    else:
        start = round(middle.box[0] * zoom), round(middle.box[1] * zoom)
        end = round(middle.box[2] * zoom) - wide, round(middle.box[3] * zoom) - high
        corner = (
            _somewhere(left, start[0], min(end[0], scaled[0] - wide)),
            _somewhere(top, start[1], min(end[1], scaled[1] - high)),
        )
    return replace(middle, scaled=scaled, box=(*corner, corner[0] + wide, corner[1] + high))


def _somewhere(chance: float, first: int, last: int) -> int:
    """A whole number from first to last, all alike likely for chances from 0 to below 1; the last if there is none."""
    return min(last, first + int(chance * (last - first + 1)))
