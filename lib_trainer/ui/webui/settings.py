"""The trainer's section in the WebUI's settings page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SECTION = ("trainer", "Trainer")
GENERATE = "trainer_generate_while_training"
LORA_FOLDER = "trainer_lora_folder"


def add_settings() -> None:
    """Put our settings into the WebUI's; it draws and keeps them."""
    from modules import shared

    generate = shared.OptionInfo(False, "Let Generate run while training", section=SECTION)
    folder = shared.OptionInfo("", "Folder for finished LoRAs (empty: the WebUI's own)", section=SECTION)
    shared.opts.add_option(GENERATE, _explained(generate, "both then share the card's memory and get slower"))
    shared.opts.add_option(LORA_FOLDER, _explained(folder, "the WebUI shows only what lies in its own"))


def _explained(info: Any, text: str) -> Any:
    return info.info(text) if hasattr(info, "info") else info


def generate_may_run() -> bool:
    """Whether the user wants to draw pictures while a run trains."""
    from modules import shared

    return bool(getattr(shared.opts, GENERATE, False))


def wished_lora_folder() -> Path | None:
    """Where the user wants finished LoRAs; one that is not written out in full begins at the WebUI's data."""
    from modules import paths, shared

    told = str(getattr(shared.opts, LORA_FOLDER, "") or "").strip()
    return Path(paths.data_path, Path(told).expanduser()) if told else None
