"""Drawn pictures as PNG files with the text in which the WebUI reads how they were drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lib_trainer.core.whole_files import whole_file

if TYPE_CHECKING:
    from PIL.Image import Image


def write_picture(path: Path, picture: Image, parameters: str) -> None:
    """Write a picture as a whole file, with the WebUI's `parameters` text in it."""
    from PIL.PngImagePlugin import PngInfo

    chunk = PngInfo()
    chunk.add_text("parameters", parameters)
    with whole_file(path) as file:
        picture.save(file, "PNG", pnginfo=chunk)
