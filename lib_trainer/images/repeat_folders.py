"""kohya's folder names, such as `10_red fox`: each picture comes ten times an epoch and is captioned `red fox`.

Format: https://github.com/kohya-ss/sd-scripts/blob/main/docs/train_README-en.md
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

# More than three digits are a year or a date far more often than a number of repeats.
REPEATS_AND_WORDS = re.compile(r"(\d{1,3})_(.*\S.*)", re.DOTALL)
TOO_MANY = re.compile(r"\d{4,}_.+", re.DOTALL)


@dataclass(frozen=True)
class RepeatFolder:
    """A folder whose name says how often its pictures come in one epoch, and what they show."""

    path: Path
    repeats: int
    words: str


def repeat_folder(folder: Path, picture: Path) -> RepeatFolder | None:
    """The nearest folder above the picture, up to and including `folder`, that is named as `10_name`."""
    for above in _between(folder, picture):
        match = REPEATS_AND_WORDS.fullmatch(above.name)
        if match:
            return RepeatFolder(above, int(match[1]), match[2].strip())
    return None


def repeat_notices(folder: Path, pictures: list[Path]) -> list[str]:
    """One sentence for each folder whose name was read as repeats, or looks like it and was not."""
    folders = sorted({above for picture in pictures for above in _between(folder, picture)})
    notices = []
    for path in folders:
        match = REPEATS_AND_WORDS.fullmatch(path.name)
        if match and int(match[1]):
            often = "once" if int(match[1]) == 1 else f"{int(match[1])} times"
            notices.append(
                f"Pictures in '{path.name}' come {often} an epoch, as its name says; rename it if that is not meant."
            )
        elif TOO_MANY.fullmatch(path.name):
            notices.append(f"The number in '{path.name}' is above 999 and is not read as repeats.")
    return notices


def _between(folder: Path, picture: Path) -> list[Path]:
    """The folders from the picture's own up to `folder`."""
    depth = len(picture.relative_to(folder).parts)
    return list(picture.parents)[:depth]
