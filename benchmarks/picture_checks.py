"""How many good and how many altered pictures each of the doctor's limits finds.

    python3 benchmarks/picture_checks.py FOLDER [--resolution 512]

FOLDER holds photos, in folders inside it too. Each is altered in every way below, and it is counted how many the check
that should notice it finds: of the photos themselves none, unless they have the fault; of the altered ones all, unless
it says "fine".
Runs with the engine's Python.
"""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_trainer.images.doctor.borders import borders
from lib_trainer.images.doctor.lettering import lettering
from lib_trainer.images.doctor.noise import noise
from lib_trainer.images.doctor.overlays import find_mark, small_copy
from lib_trainer.images.doctor.picture_checks import LETTERS, NOISY, SOFT
from lib_trainer.images.doctor.sharpness import sharpness
from lib_trainer.images.pixels import see
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

Picture = Image.Image
Alteration = Callable[[Picture], Picture]


def plane(image: Picture) -> np.ndarray:
    return np.asarray(image.convert("L"), dtype=np.float32)


def opened(path: Path, resolution: int) -> Picture:
    image = see(path, "white", 4 * resolution).image
    scale = min(1.0, resolution / (image.width * image.height) ** 0.5)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def blurred(radius: float) -> Alteration:
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius))


def shaken(image: Picture) -> Picture:
    """As if the camera had moved eleven pixels sideways."""
    padded = np.pad(np.asarray(image, dtype=np.float32), [(0, 0), (5, 5), (0, 0)], mode="edge")
    return Image.fromarray((sum(padded[:, shift : shift + image.width] for shift in range(11)) / 11).astype(np.uint8))


def as_jpeg(quality: int) -> Alteration:
    def altered(image: Picture) -> Picture:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return altered


def grainy(strength: float) -> Alteration:
    def altered(image: Picture) -> Picture:
        grain = np.random.default_rng(1).normal(0, strength, (image.height, image.width, 3))
        return Image.fromarray((np.asarray(image) + grain).clip(0, 255).round().astype(np.uint8))

    return altered


def framed(across: float, down: float, colour: str) -> Alteration:
    def altered(image: Picture) -> Picture:
        left, top = round(image.width * across), round(image.height * down)
        whole = Image.new("RGB", (image.width + 2 * left, image.height + 2 * top), colour)
        whole.paste(image, (left, top))
        return whole

    return altered


def caption_bar(image: Picture) -> Picture:
    bar = max(18, image.height // 11)
    whole = Image.new("RGB", (image.width, image.height + bar), "white")
    whole.paste(image, (0, 0))
    pen, place = ImageDraw.Draw(whole), (image.width // 2, image.height + bar // 2)
    pen.text(place, "my best friend in the park", "black", ImageFont.load_default(bar * 0.6), anchor="mm")
    return whole


def words(text: str, size: float, place: tuple[float, float], opacity: float, **how: object) -> Alteration:
    """White letters over the picture: their size and place as shares of it."""

    def altered(image: Picture) -> Picture:
        over = Image.new("L", image.size)
        at = (image.width * place[0], image.height * place[1])
        font = ImageFont.load_default(image.height * size)
        ImageDraw.Draw(over).text(at, text, round(255 * opacity), font, **how)
        marked = image.copy()
        marked.paste("white", (0, 0), over)
        return marked

    return altered


def outlined(image: Picture) -> Picture:
    marked = image.copy()
    place, font = (image.width // 2, image.height * 0.9), ImageFont.load_default(image.height / 11)
    ImageDraw.Draw(marked).text(place, "WHEN MONDAY COMES", "white", font, "mm", stroke_width=2, stroke_fill="black")
    return marked


MARK = words("© Studio Name 2023", 1 / 24, (0.97, 0.96), 0.6, anchor="rs")
LOGO = words("PhotoAgency", 1 / 9, (0.5, 0.5), 0.45, anchor="mm")
SINGLE: dict[str, tuple[Callable[[Picture], bool], dict[str, Alteration]]] = {
    "blurred": (
        lambda image: (sharpness(plane(image), noise(plane(image))) or 1) < SOFT,
        {"blurred 1 px": blurred(1), "blurred 1.5 px": blurred(1.5), "blurred 2 px": blurred(2),
         "blurred 4 px": blurred(4), "shaken 11 px": shaken, "JPEG 30 (fine)": as_jpeg(30)},
    ),
    "noisy": (
        lambda image: noise(plane(image)) > NOISY,
        {"grain 6 (fine)": grainy(6), "grain 12": grainy(12), "grain 20": grainy(20), "JPEG 30 (fine)": as_jpeg(30)},
    ),
    "borders": (
        lambda image: max(borders(plane(image))) > 0,
        {"black above and below": framed(0, 0.12, "black"), "grey at the sides": framed(0.2, 0, "#202020"),
         "thin black frame": framed(0.02, 0.02, "black"), "white frame": framed(0.04, 0.04, "white"),
         "black, JPEG 50": lambda image: as_jpeg(50)(framed(0, 0.12, "black")(image))},
    ),
    "letters": (
        lambda image: lettering(plane(image)) >= LETTERS,
        {"caption bar": caption_bar, "outlined letters": outlined, "watermark at 60 %": MARK,
         "watermark, opaque": words("© Studio Name 2023", 1 / 24, (0.97, 0.96), 1, anchor="rs")},
    ),
}  # fmt: skip
TOGETHER: dict[str, Alteration] = {"watermark at 60 %": MARK, "large, at 45 %": LOGO, "caption bar": caption_bar}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--resolution", type=int, default=512)
    told = parser.parse_args()
    paths = [path for path in sorted(told.folder.rglob("*")) if path.suffix.lower() in PICTURE_SUFFIXES]
    images = [opened(path, told.resolution) for path in paths]
    begun = time.perf_counter()
    for check, (finds, alterations) in SINGLE.items():
        photos = [path for path, image in zip(paths, images, strict=True) if finds(image)]
        print(f"{check}: {len(photos)} of {len(images)} photos as they are", *(f"({path})" for path in photos[:6]))
        for name, altered in alterations.items():
            print(f"    {name}: {sum(finds(altered(image)) for image in images)} of {len(images)}")
    for name, altered in {"as they are": lambda image: image, **TOGETHER}.items():
        for share in (1.0, 0.5) if name in TOGETHER else (0.0,):
            bearing = [number for number in range(len(images)) if number * share % 1 < share]
            copies = [small_copy(altered(image) if n in bearing else image) for n, image in enumerate(images)]
            mark = find_mark(copies)
            found = set(mark.pictures) if mark else set()
            right = len(found & set(bearing))
            print(f"mark, {name}: {right} of {len(bearing)} found, {len(found) - right} wrongly")
    print(f"{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main()
