"""Which kind of picture some bytes are."""

from __future__ import annotations

import io

from PIL import Image

from lib_trainer.images.pixels import DAMAGE, FORMATS

SUFFIXES = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "AVIF": ".avif", "BMP": ".bmp", "TIFF": ".tif", "GIF": ".gif",
}  # fmt: skip


def picture_suffix(data: bytes) -> str:
    """The usual ending of such a picture's name, or nothing where it is none that can be read."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return SUFFIXES.get(image.format or "", "")
    except (OSError, MemoryError, Image.DecompressionBombError, *DAMAGE):
        return ""
