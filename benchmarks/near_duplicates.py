"""How many altered copies of photographs the step `duplicates` finds, and how many pictures it takes for some wrongly.

    python benchmarks/near_duplicates.py /path/to/photos            # 400 altered copies, precision and recall
    python benchmarks/near_duplicates.py /path/to/photos --many 10000    # the time that so many pictures take

Copies are made of each photograph in turn, by each alteration in turn; a copy is found if it is in one group with its
original, and of the right kind: mirrored ones apart. Two pictures in one group that come from two photographs are
wrong; photographs that are the same file to the byte count as one.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.duplicates.duplicates import REPORT, find_duplicates
from lib_trainer.images.duplicates.options import DuplicateOptions
from lib_trainer.images.suffixes import PICTURE_SUFFIXES

SIDE = 1024  # of the largest photographs that copies are made of
LINES = "a caption that somebody wrote below the picture"


def resized(image: Image.Image, chance: random.Random) -> Image.Image:
    factor = chance.choice([0.35, 0.5, 0.7, 1.5])
    return image.resize((round(image.width * factor), round(image.height * factor)), Image.Resampling.LANCZOS)


def cropped(image: Image.Image, chance: random.Random) -> Image.Image:
    """5 % of the width and of the height, wherever they come off."""
    across, down = round(image.width * 0.05), round(image.height * 0.05)
    left, top = chance.randint(0, across), chance.randint(0, down)
    return image.crop((left, top, image.width - across + left, image.height - down + top))


def cropped_all_around(image: Image.Image, chance: random.Random) -> Image.Image:
    """5 % off each side."""
    across, down = round(image.width * 0.05), round(image.height * 0.05)
    return image.crop((across, down, image.width - across, image.height - down))


def brightened(image: Image.Image, chance: random.Random) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(chance.choice([0.6, 0.75, 1.25, 1.4]))


def with_bar_below(image: Image.Image, chance: random.Random) -> Image.Image:
    """The picture on a canvas with a bar of text below or above."""
    high = round(image.height * chance.uniform(0.08, 0.16))
    colour, ink = chance.choice([("white", "black"), ("black", "white")])
    canvas = Image.new("RGB", (image.width, image.height + high), colour)
    above = chance.random() < 0.3
    canvas.paste(image, (0, high if above else 0))
    ImageDraw.Draw(canvas).text((10, 4 if above else image.height + 4), LINES, fill=ink, font_size=max(10, high // 2))
    return canvas


def with_bar_over(image: Image.Image, chance: random.Random) -> Image.Image:
    """A bar of text over the picture's lower edge."""
    high = round(image.height * chance.uniform(0.08, 0.14))
    painted = image.copy()
    draw = ImageDraw.Draw(painted)
    draw.rectangle((0, image.height - high, image.width, image.height), fill=chance.choice(["black", "white"]))
    draw.text((10, image.height - high + 4), LINES, fill="grey", font_size=max(10, high // 2))
    return painted


ALTERATIONS: dict[str, tuple[Callable[[Image.Image, random.Random], Image.Image], str, dict[str, int]]] = {
    "resize": (resized, ".png", {}),
    "JPEG 30": (lambda image, chance: image, ".jpg", {"quality": 30}),
    "crop 5 %": (cropped, ".jpg", {"quality": 90}),
    "crop 5 % each side": (cropped_all_around, ".jpg", {"quality": 90}),
    "brightness": (brightened, ".jpg", {"quality": 90}),
    "flip": (lambda image, chance: ImageOps.mirror(image), ".jpg", {"quality": 90}),
    "caption bar added": (with_bar_below, ".jpg", {"quality": 90}),
    "caption bar over it": (with_bar_over, ".jpg", {"quality": 90}),
}


def photographs(folder: Path, place: Path) -> list[Path]:
    """Copies of all photographs, so that nothing is done to the folder itself."""
    found = []
    for number, path in enumerate(sorted(p for p in folder.rglob("*") if p.suffix.lower() in PICTURE_SUFFIXES)):
        target = place / f"{number:04d}-original{path.suffix.lower()}"
        shutil.copyfile(path, target)
        found.append(target)
    return found


def altered_copies(originals: list[Path], place: Path, count: int, seed: int) -> dict[str, tuple[str, str]]:
    """Make the copies; the file of each -> its original and its alteration."""
    chance, made = random.Random(seed), {}
    images = {}
    for original in originals:
        with Image.open(original) as opened:
            images[original] = opened.convert("RGB")
        images[original].thumbnail((SIDE, SIDE))
    pairs = itertools.islice(itertools.cycle(itertools.product(ALTERATIONS, originals)), count)
    for number, (name, original) in enumerate(pairs):
        change, suffix, how = ALTERATIONS[name]
        file = f"{original.name[:4]}-copy{number:05d}{suffix}"
        change(images[original], chance).save(place / file, **how)
        made[file] = (original.name, name)
    return made


def found_by(folder: Path, work: Path, similarity: float) -> tuple[list[dict], float]:
    """The groups that the step found, and its seconds."""
    run = RunDirectory(work)
    run.create("duplicates", {"folder": str(folder)})
    begun = time.perf_counter()
    find_duplicates(DuplicateOptions(folder=folder, similarity=similarity), run)
    seconds = time.perf_counter() - begun
    return json.loads((work / REPORT).read_text(encoding="utf-8"))["groups"], seconds


def same_sources(originals: list[Path]) -> dict[str, str]:
    """The name of each original -> that of the first one with the same content."""
    first: dict[bytes, str] = {}
    return {path.name: first.setdefault(path.read_bytes(), path.name) for path in originals}


def told(groups: list[dict], copies: dict[str, tuple[str, str]], same: dict[str, str], show: bool) -> None:
    """Print the figures."""
    source = {**same, **{file: same[original] for file, (original, _) in copies.items()}}
    near: dict[str, int] = {}
    mirrored: set[frozenset[int | str]] = set()
    right = wrong = 0
    for number, group in enumerate(groups):
        files = [each["file"] for each in group["pictures"]]
        for one, other in itertools.combinations(files, 2):
            is_right = source[one] == source[other]
            right, wrong = right + is_right, wrong + (not is_right)
            if show and not is_right:
                print(f"  wrong: {one} and {other} ({group['kind']})")
        if group["kind"] == "mirrored":  # one picture of each side, whichever was the best
            mirrored.add(frozenset(near.get(file, file) for file in files))
        else:
            near.update(dict.fromkeys(files, number))
    total, hit = Counter(), Counter()
    for file, (original, name) in copies.items():
        sides = near.get(file, file), near.get(original, original)
        is_found = frozenset(sides) in mirrored if name == "flip" else sides[0] == sides[1]
        total[name] += 1
        hit[name] += is_found
        if show and not is_found:
            print(f"  missed: {file} of {original} ({name})")
    for name in total:
        print(f"{name:22} recall {hit[name] / total[name]:.3f} ({hit[name]} of {total[name]})")
    print(f"in all: recall {sum(hit.values()) / sum(total.values()):.3f}, precision {right / max(1, right + wrong):.4f}"
          f" ({wrong} wrong pairs of {right + wrong})")
    kept = [group["keep"] for group in groups if any(each["file"] in same for each in group["pictures"])]
    print(f"the original is proposed to be kept in {sum(file in same for file in kept)} of {len(kept)} groups with one")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--copies", type=int, default=400)
    parser.add_argument("--many", type=int, default=0, help="make so many pictures and time the step on them")
    parser.add_argument("--similarity", type=float, default=DuplicateOptions(folder=Path()).similarity)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", action="store_true", help="name what was missed and what was wrong")
    parser.add_argument("--keep", type=Path, help="make the pictures here, and leave them")
    told_by_user = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = told_by_user.keep or Path(temporary)
        place = work / "pictures"
        place.mkdir(parents=True, exist_ok=True)
        originals = photographs(told_by_user.folder, place)
        count = max(told_by_user.copies, told_by_user.many - len(originals))
        copies = altered_copies(originals, place, count, told_by_user.seed)
        groups, seconds = found_by(place, Path(temporary) / "run", told_by_user.similarity)
        print(f"{len(originals)} photographs, {len(copies)} altered copies: {seconds:.1f} s")
        told(groups, copies, same_sources(originals), told_by_user.show)


if __name__ == "__main__":
    main()
