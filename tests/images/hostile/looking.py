"""Hostile folders, for the steps that look at pictures: `inspect`, `prepare` and `check`."""

from __future__ import annotations

from tests.images.hostile.table import Attempt, fill, pixel_bomb, png


def folder(place):
    bad = {"page.png": "<html>404</html>", "empty.jpg": b"", "cut.png": png(1)[:90], "bomb.png": pixel_bomb(),
           "photo.heic": b"x"}  # fmt: skip
    words = {"noise.txt": b"\x81\x8d\xff", "zero.txt": b"a\0 fox", "mega.txt": "fox " * 250_000, "blank.txt": " \n",
             "west.txt": "größer".encode("cp1252")}  # fmt: skip
    pictures = {f"{name[:-4]}.png": png(number, (600, 600)) for number, name in enumerate(words, 5)}
    odd = {"thin.png": png(2, (4000, 1)), "dot.png": png(3, (1, 1)), "🦊 'q'.png": png(4, (600, 600))}
    fill(place / "in", {**bad, **words, **pictures, **odd, "0_off/a.png": png(20), f"{'y' * 240}.png": png(21)})


def good(place):
    fill(place / "in", {"a.png": png(1), "b.png": png(2)})


def boxes(place):
    fill(place / "in", {"a.png": png(1), ".crops.json": {"version": 1, "pictures": {"a.png": {"size": [64, 64],
                        "box": [0, 0, 9999, -1]}}}})  # fmt: skip


def strange_copies(place):
    good(place)
    fill(place / "out", {"mine.png": png(3)})


ATTEMPTS = {
    "inspect": Attempt(
        "inspect --folder PLACE/in", folder,
        {
            "a web page among pictures": ("page.png", "not a picture of a known format"),
            "an empty file among pictures": ("empty.jpg", "the file is empty"),
            "a pixel bomb among pictures": ("bomb.png", "more than 150 million pixels"),
            "a caption file with NUL": ("zero.txt", "NUL", "left out"),
            "a caption file that is no text": ("noise.txt", "not text in UTF-8", "not used"),
            "a caption file in Windows' letters": ("west.txt", "read as cp1252"),
            "a caption file of spaces alone": ("blank.txt", "is empty"),
            "a folder that asks for no repeats": ("a.png", "asks for 0 repeats"),
        },
    ),
    "check": Attempt(
        "check --folder PLACE/in", folder,
        {
            "a picture that is cut off, examined": ("files are damaged", "cut.png"),
            "pictures of a dot and of a line": ("much smaller than the training size", "dot.png", "thin.png"),
            "a caption file of 1 MB": ("1 picture has a caption of more than 75 tokens", "mega.png"),
        },
    ),
    "prepare": Attempt(
        "prepare --folder PLACE/in --output PLACE/out", folder,
        {"a picture of 4000 x 1 pixels, made larger": ("1024 x 256", "1", "1")},
    ),
    "duplicates": Attempt(
        "duplicates --folder PLACE/in", folder,
        {"a picture that is cut off, compared": ("cut.png", "truncated")},
    ),
    "drawn boxes": Attempt(
        "prepare --folder PLACE/in --output PLACE/out", boxes,
        {"a crop box outside of its picture": (".crops.json", "does not lie in a picture of 64 x 64")}, fails=True,
        made=(),
    ),
    "copies among other files": Attempt(
        "prepare --folder PLACE/in --output PLACE/out", strange_copies,
        {"copies into a folder with other files": ("PLACE/out already holds other files (mine.png)",)}, fails=True,
        made=("mine.png",), changes=("run",),
    ),
}  # fmt: skip
