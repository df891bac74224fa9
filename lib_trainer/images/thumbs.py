"""Small copies of pictures for a gallery, made while a folder is looked through."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.images.buckets import Size
from lib_trainer.images.pixels import open_small

THUMBS = "thumbs"
LONGEST_SIDE = 256  # pixels
QUALITY = 80
FASTER = 1  # of 0 to 6; slower ones save a tenth of the few kilobytes


def thumb_name(picture: Path) -> str:
    """Where a picture's thumb lies below the run's folder; pictures of one name lie in several folders."""
    return f"{THUMBS}/{hashlib.sha256(os.fsencode(picture)).hexdigest()[:24]}.webp"


def make_thumb(picture: Path, run: Path, background: str) -> Size:
    """Write the thumb of a picture, upright, with `background` behind what is transparent; returns the picture's size.

    Raises:
        PictureError: the picture can't be used.
        OutputError: the disk refuses.
    """
    small, size = open_small(picture, background, LONGEST_SIDE)
    content = io.BytesIO()
    small.save(content, "WEBP", quality=QUALITY, method=FASTER)
    path = run / thumb_name(picture)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.getvalue())  # unflushed: it is nobody's until the listing names it
    except OSError as error:
        raise OutputError(f"{path} can't be written ({error}); make room there.") from error
    return size
