"""The WebUI's checkpoints: the one that a file is in its list, and drawing with it for a while."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ModelError
from lib_trainer.demo.places import MODEL
from lib_trainer.ui.webui.loaded_model import bring_model_back, is_forge, loaded_model

ENDINGS = (".safetensors", ".ckpt")


def can_draw_with(model: Path) -> bool:
    """Whether the WebUI can load this file: it reads no folders, nor the demo's model where we keep it."""
    return model.suffix.lower() in ENDINGS and not _same(model, MODEL)


@contextmanager
def known_to_webui(models: list[Path]) -> Iterator[dict[Path, Any]]:
    """The WebUI's entry for each file; one that lies outside its folders stands in its list only for the block.

    Raises:
        ModelError: another file has the same name in the WebUI's list.
    """
    from modules import sd_models

    entries = {model: _entry(model) for model in models}
    if None in entries.values():
        sd_models.list_models()
        entries = {model: _entry(model) for model in models}
    guests = [sd_models.CheckpointInfo(str(model)) for model, entry in entries.items() if entry is None]
    try:
        for guest in guests:
            _introduce(guest)
        entries = {model: _entry(model) for model in models}
        for model, entry in entries.items():
            _check_name(model, entry)
        yield entries
    finally:
        for guest in guests:
            _dismiss(guest)


def _entry(model: Path) -> Any:
    """What the list has of this path, or else of the file behind it."""
    from modules import sd_models

    infos = list(sd_models.checkpoints_list.values())
    exact = [info for info in infos if Path(info.filename) == model]
    return next(iter([*exact, *(info for info in infos if _same(info.filename, model))]), None)


def _same(one: str | Path, other: str | Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _introduce(guest: Any) -> None:
    from modules import sd_models

    taken = sd_models.checkpoint_aliases.get(guest.name)
    if taken is not None:
        raise ModelError(
            f"The WebUI's list has a checkpoint {guest.name} already, {taken.filename}; rename {guest.filename}."
        )
    guest.register()


def _dismiss(guest: Any) -> None:
    from modules import sd_models

    for known in (sd_models.checkpoints_list, sd_models.checkpoint_aliases):
        for name in [name for name, info in known.items() if info is guest]:
            del known[name]


def _check_name(model: Path, entry: Any) -> None:
    """An unknown or ambiguous name would silently draw with another model."""
    from modules import sd_models

    found = sd_models.get_closet_checkpoint_match(entry.name)
    if found is None or not _same(found.filename, model):
        other = "nothing" if found is None else found.filename
        raise ModelError(f"The WebUI finds {other} under the name {entry.name}, not {model}; rename one of them.")


@contextmanager
def chosen_in_webui(entry: Any) -> Iterator[dict[str, Any]]:
    """Pictures are drawn with this checkpoint as long as the block lasts; yields the settings that each must override.

    In Forge an override in each picture would drop the model from the card after each.
    """
    if not is_forge():
        yield {"sd_model_checkpoint": entry.name}
        return
    from modules import shared
    from modules_forge import main_entry

    before = shared.opts.sd_model_checkpoint
    main_entry.checkpoint_change(entry.name, save=False)
    try:
        yield {}
    finally:
        main_entry.checkpoint_change(before, save=False)


def load_chosen_again() -> None:
    """Have the model in memory that the WebUI shows as chosen; Forge sees to that itself."""
    if not is_forge() and loaded_model() is not None:
        bring_model_back()
