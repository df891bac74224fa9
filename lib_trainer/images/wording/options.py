"""The options of the step `reword`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.options import existing, option, section
from lib_trainer.images.options import CaptionOptions


@dataclass(frozen=True, kw_only=True)
class RewordOptions:
    """Reword the captions of a folder by rules: first shown, then written, and taken back again if it was wrong."""

    folder: Path = existing(..., "Folder with your pictures; folders inside it are searched too.", group="first")
    rules: tuple[str, ...] = option(
        (),
        "Rules in their order: names such as underscores, generic, several, synonyms, dedupe, tidy, or tables such as "
        '\'{"kind": "replace", "pairs": ["cat => dog"]}\'.',
        group="first",
    )
    rules_file: Path | None = existing(None, "File with a list of such tables (JSON); its rules come first.")
    write: bool = option(False, "Write the captions; without it, only what would change is shown.", group="first")
    undo: bool = option(False, "Take the last change of this folder's captions back, instead of making one.")
    captions: CaptionOptions = section(CaptionOptions)
