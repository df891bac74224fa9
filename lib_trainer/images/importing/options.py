"""The options of bringing pictures in, and of writing their captions as one file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.options import existing, labelled, option, section
from lib_trainer.images.options import CaptionOptions


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """Bring pictures and captions in from folders, zip archives, parquet files and metadata tables, as one folder."""

    source: tuple[Path, ...] = existing(
        ...,
        "What to bring in: folders, .zip, .parquet, single pictures, and metadata.jsonl, .csv or kohya's .json for the "
        "captions of all of them. Nothing is changed in there.",
        group="first",
    )
    output: Path | None = option(
        None,
        "Folder that the pictures are copied into; what lies there stays. Empty means beside the first source, ending "
        "in '-imported'.",
        group="first",
    )
    duplicates: Literal["skip", "keep"] = option(
        "skip", "What to do with a picture whose file is the same, byte for byte, as one that is there already."
    )
    tags: Literal["after", "before", "leave", "instead", "apart"] = labelled(
        "Tags of metadata",
        option(
            "after",
            "Where a table has a caption and tags: the tags come after it, before it, are left out, are taken instead, "
            "or are kept apart: the caption in NAME.caption and the tags in NAME.txt.",
        ),
    )
    picture_column: str = option(
        "", "Column of a table that names the picture, or holds it; empty means the first that usually does."
    )
    caption_column: str = option(
        "", "Column of a table that holds the caption; empty means the first that usually does."
    )
    most_unpacked: float = option(
        50.0, "At most this much is taken out of one archive.", ge=0.001, le=10_000, unit="GB"
    )


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """Write the captions of a folder of pictures as one file: kohya's metadata or Hugging Face's."""

    folder: Path = existing(..., "Folder with your pictures; folders inside it are searched too.", group="first")
    output: Path | None = option(
        None,
        "The file; empty means metadata.jsonl or .csv in the folder, or for kohya a .json beside it. Entries that "
        "kohya's file has already keep what else they say.",
        group="first",
    )
    format: Literal["kohya", "jsonl", "csv"] = option(
        "kohya", "'kohya' is kohya's metadata JSON; 'jsonl' and 'csv' are Hugging Face's metadata files.",
        group="first",
    )
    keys: Literal["full path", "relative path", "name"] = option(
        "full path", "How kohya's file names a picture; 'name' is without its ending, as kohya's older tools have it."
    )
    field: Literal["caption", "tags", "apart"] = option(
        "caption",
        "What kohya's file calls the captions; 'apart' takes NAME.caption for the caption and NAME.txt for the tags.",
    )
    captions: CaptionOptions = section(CaptionOptions)
