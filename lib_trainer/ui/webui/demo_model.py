"""The demo's model among AUTOMATIC1111's checkpoints, with all that it needs to be loaded there."""

from __future__ import annotations

import json
import re
from pathlib import Path

from lib_trainer.core.errors import OutputError
from lib_trainer.core.places import EXTENSION_ROOT
from lib_trainer.core.whole_files import whole_file
from lib_trainer.demo.places import MODEL

FOLDER = "trainer-demo"
TOKENIZER = EXTENSION_ROOT / "lib_trainer" / "models" / "clip_tokenizer"
CLIP_FILES = (MODEL.parent / "clip" / "config.json", TOKENIZER / "vocab.json", TOKENIZER / "merges.txt")
VERSION = re.compile(r"^( *version:).*$", re.MULTILINE)


def lend_to_a1111(checkpoints: Path) -> Path:
    """Copy what is not there yet into a folder of our own below the WebUI's; returns the checkpoint.

    Its .yaml names the folder of the text encoder in full: the WebUI looks from where it was started.

    Raises:
        OutputError: the disk refuses.
    """
    folder = Path(checkpoints.absolute(), FOLDER)
    config = MODEL.with_suffix(".yaml")
    told = VERSION.sub(lambda line: f"{line[1]} {json.dumps(str(folder / 'clip'))}", config.read_text(encoding="utf-8"))
    try:
        for file in CLIP_FILES:
            _put(folder / "clip" / file.name, file.read_bytes())
        _put(folder / config.name, told.encode("utf-8"))
        _put(folder / MODEL.name, MODEL.read_bytes())
    except OSError as error:
        raise OutputError(f"The demo's model can't be copied to {folder} ({error}); make room there.") from error
    return folder / MODEL.name


def _put(path: Path, content: bytes) -> None:
    if path.is_file() and path.read_bytes() == content:
        return
    with whole_file(path) as file:
        file.write(content)
