"""The masks of padded copies: white where the picture is and black where it was filled up, so that that is not learned.

They are what `dataset.masks.folder` reads: named and sized as the copies, in a folder beside theirs.
"""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from lib_trainer.images.copies import Plan

MASK_SUFFIX = ".png"


def masks_folder(output: Path) -> Path:
    """Where the masks of a folder of copies lie."""
    return output.with_name(f"{output.name}-masks")


def mask_bytes(plan: Plan, width: int, height: int) -> bytes:
    """The file of the mask of a copy of a picture of this size."""
    left, top, right, bottom = plan.part(width, height)
    mask = Image.new("L", plan.size, 0 if plan.how == "fit" else 255)
    if plan.how == "fit":
        mask.paste(255, plan.place(plan.inner(round(right - left), round(bottom - top))))
    file = io.BytesIO()
    mask.save(file, "PNG")
    return file.getvalue()
