"""Where things lie: the extension, the trainer's own data, and the folders that the WebUI reads."""

from __future__ import annotations

import os
from pathlib import Path

from lib_trainer.core.outputs import OUTPUTS, Output

EXTENSION_ROOT = Path(__file__).absolute().parents[2]  # not resolved: a link in `extensions` is a place there
DATA_VARIABLE = "LIB_TRAINER_DATA"


def data_folder() -> Path:
    """The trainer's own folder (engine, runs, cache): `data` in the extension, or where LIB_TRAINER_DATA says."""
    told = os.environ.get(DATA_VARIABLE)
    return Path.cwd() / told if told else EXTENSION_ROOT / "data"


def webui_root() -> Path | None:
    """The WebUI's data folder if we are installed in its `extensions` folder."""
    above = EXTENSION_ROOT.parent
    return above.parent if above.name == "extensions" and (above.parent / "models").is_dir() else None


def output_folder(output: Output) -> Path:
    """Where such files belong, as `models/Lora`: in the WebUI, or in our own data folder where there is none."""
    return (webui_root() or data_folder()).joinpath(*OUTPUTS[output].folder)


def cache_folder() -> Path:
    """Encoded pictures and captions, shared by all runs."""
    return data_folder() / "cache"
