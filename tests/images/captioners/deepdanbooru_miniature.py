"""DeepDanbooru in miniature: a file with the keys of the real one, and small widths."""

from __future__ import annotations

import torch

from lib_trainer.images.captioners.deepdanbooru import FILE

TAGS = ["1girl", "long_hair", "tree", "rating:safe", "rating:questionable"]
# As TorchDeepDanbooru's graph has them: number of the first convolution of each block -> stride, and where its shortcut
# is (the number of its convolution) if it has one.
BLOCKS = {
    1: (1, 1), 5: (1, None), 8: (1, None), 11: (2, 11), **dict.fromkeys(range(15, 36, 3), (1, None)),
    36: (2, 36), **dict.fromkeys(range(40, 97, 3), (1, None)), 97: (2, 100),
    **dict.fromkeys(range(101, 158, 3), (1, None)), 158: (2, 158), 162: (1, None), 165: (1, None), 168: (2, 168),
    172: (1, None), 175: (1, None),
}  # fmt: skip
WIDTHS = ((1, 4), (11, 6), (36, 8), (97, 8), (158, 10), (168, 12))  # from that convolution on: a quarter of the width
# What the pictures differ in must come through 57 blocks, and the scores must stay apart from 0 and 1.
GAINS = {"first": 20.0, "inner": 1.0, "outer": 0.3, "shortcut": 1.3, "last": 0.5}


def width(number):
    """A quarter of the width of the block with that convolution."""
    return [wide for first, wide in WIDTHS if number >= first][-1]


def make_deepdanbooru(folder):
    """The path of the file, in that folder."""
    torch.manual_seed(4)
    weights, before = {}, 4

    def add(number, out, into, side, gain):
        drawn = torch.randn(out, into, side, side) * (1.3 / (into * side * side)) ** 0.5
        weights[f"n_Conv_{number}.weight"] = drawn * GAINS[gain]
        weights[f"n_Conv_{number}.bias"] = torch.randn(out) * 0.05

    add(0, 4, 3, 7, "first")
    for first, (_, shortcut) in BLOCKS.items():
        inner = width(first)
        start = first + (shortcut == first)
        add(start, inner, before, 1, "inner")
        add(start + 1, inner, inner, 3, "inner")
        add(start + 2, 4 * inner, inner, 1, "outer")
        if shortcut is not None:
            add(shortcut, 4 * inner, before, 1, "shortcut")
        before = 4 * inner
    add(178, len(TAGS), before, 1, "last")
    del weights["n_Conv_178.bias"]
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({**weights, "tags": TAGS}, folder / FILE)
    return folder / FILE
