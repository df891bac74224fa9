"""The options of pictures: where captions come from, which sizes there are, and how `prepare` makes clean copies."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.options import existing, labelled, option, section


@dataclass(frozen=True)
class CaptionOptions:
    """Where each picture's caption comes from."""

    source: Literal["files", "file name", "prompt"] = option(
        "files",
        "'files' reads NAME.txt, NAME.caption or metadata.jsonl beside the picture, then the words of a '10_name' "
        "folder, then the prompt below; 'file name' takes the picture's own name, with spaces for underscores; "
        "'prompt' the prompt for all.",
    )
    lines: Literal["joined", "first", "any"] = option(
        "joined",
        "What a caption file of several lines means: one long caption, its first line only, or in training any of its "
        "lines, another each time.",
    )
    prompt: str = option("", "Caption of every picture that has none of its own, such as 'a photo of sks dog'.")


@dataclass(frozen=True)
class BucketOptions:
    """The sizes that pictures are scaled and cropped to, one list for all shapes of picture."""

    resolution: int = option(
        512, "Pictures keep about this side squared as their area.", ge=64, le=2048, unit="px", group="first"
    )
    step: int = option(64, "Sides are multiples of this; 8 suits very small models.", ge=8, le=256, unit="px")
    min_side: int | None = option(None, "Shortest side; empty means half the resolution.", ge=8, le=2048, unit="px")
    max_side: int | None = option(
        None,
        "Longest side; empty means twice the resolution, or more for a smaller shortest side, so that wide pictures "
        "keep their area.",
        ge=64,
        le=8192,
        unit="px",
    )
    no_upscale: bool = option(
        False, "Small pictures are not enlarged; they keep their size, cut to multiples of the step."
    )
    square: bool = option(False, "One square size only: whatever does not fit the square is cropped away.")


@dataclass(frozen=True, kw_only=True)
class PictureOptions:
    """A folder of pictures, and how they are scaled and cropped."""

    folder: Path = existing(
        ..., "Folder with your pictures; folders inside it are searched too.", group="first"
    )
    resize: Literal["buckets", "shortest", "exact"] = option(
        "buckets",
        "'buckets' fits each picture to the nearest training size, 'shortest' scales its shortest side to the "
        "resolution (and crops it to a square), 'exact' makes every picture width x height.",
    )
    crop: Literal["centre", "focal", "pad", "none"] = option(
        "centre",
        "'centre' cuts away what overhangs at both ends, 'focal' where least is lost of faces or of what stands out; "
        "'pad' cuts nothing and fills up with the background, 'none' keeps the overhang (with 'exact' it fills up).",
        group="first",
    )
    boxes: bool = labelled(
        "Use drawn boxes",
        option(True, "A crop box that you drew on a picture goes before everything else; off, boxes are left alone."),
    )
    split: float | None = labelled(
        "Cut long pictures",
        option(
            None,
            "Pictures more than this many times as long as wide, or as wide as long, are cut into several that overlap "
            "a little; empty never cuts.",
            ge=1.2,
            le=20,
        ),
    )
    width: int = option(512, "Width for 'exact'.", ge=8, le=8192, unit="px")
    height: int = option(512, "Height for 'exact'.", ge=8, le=8192, unit="px")
    background: str = option("white", "Colour behind transparent pictures: a name or #rrggbb.")
    captions: CaptionOptions = section(CaptionOptions)
    buckets: BucketOptions = section(BucketOptions)


@dataclass(frozen=True, kw_only=True)
class PrepareOptions(PictureOptions):
    """Copy pictures, scaled and cropped, into a new folder with their captions; the originals stay untouched."""

    output: Path | None = option(None, "New folder for the copies; empty means beside yours, ending in '-prepared'.")
    format: Literal["png", "jpeg", "webp"] = option("png", "File format of the copies.")
    quality: int = option(95, "Quality of JPEG and WebP copies.", ge=1, le=100, unit="%")
    enlarge: Literal["lanczos", "webui"] = labelled(
        "Enlarge small ones by",
        option(
            "lanczos",
            "What makes pictures larger that are smaller than their copies: 'lanczos' is a plain filter, 'webui' an "
            "upscaler of the WebUI in whose tab this is started.",
        ),
    )
    upscaler: str = option(
        "", "Which of the WebUI's upscalers, by its name in the Extras tab, such as 'R-ESRGAN 4x+'; empty is its first."
    )


@dataclass(frozen=True, kw_only=True)
class InspectOptions(PictureOptions):
    """Look through a folder of pictures: sizes, captions, problems, and what training or 'prepare' would make of it."""

    repeats: int = option(1, "How often each picture is to come in one epoch of training.", ge=1)
