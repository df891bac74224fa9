"""The WebUI's lists of checkpoints, embeddings and hypernetworks: whether a file stands in them, and if not, why."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from lib_trainer.core.outputs import Output
from lib_trainer.ui.host import Visibility
from lib_trainer.ui.webui.loaded_model import is_forge

FOLDER = "A diffusers folder is for other programs; save as safetensors or ckpt to use it in the WebUI."
NO_HYPERNETWORKS = "Forge lists hypernetworks but does not apply them; use AUTOMATIC1111."


def checkpoint_listed(file: Path) -> Visibility:
    """Let the WebUI look for checkpoints; it lists those in its folder."""
    from modules import sd_models, shared

    if file.is_dir():
        return Visibility(False, FOLDER)
    sd_models.list_models()
    listed = [Path(info.filename) for info in list(sd_models.checkpoints_list.values())]
    if any(_same(file, each) for each in listed):
        return Visibility(True, f"It is in the WebUI's list of checkpoints as {file.name}.")
    return _elsewhere(file, Path(shared.cmd_opts.ckpt_dir or sd_models.model_path))


def embedding_listed(file: Path) -> Visibility:
    """The WebUI reads its folder itself: A1111 before each generation, Forge when it loads a model."""
    from modules import shared

    folder = Path(shared.cmd_opts.embeddings_dir)
    if not file.resolve().is_relative_to(folder.resolve()):
        return _elsewhere(file, folder)
    when = "after the model is loaded again" if is_forge() else "with the next picture"
    return Visibility(True, f"The WebUI reads it {when}; write {file.stem} in a prompt.")


def hypernetwork_listed(file: Path) -> Visibility:
    """Let the WebUI look for hypernetworks; it lists those in its folder by name."""
    from modules import shared

    if is_forge():
        return Visibility(False, NO_HYPERNETWORKS)
    shared.reload_hypernetworks()
    found = shared.hypernetworks.get(file.stem)
    if found is not None and _same(file, Path(found)):
        return Visibility(True, f"The WebUI knows it as <hypernet:{file.stem}:1>.")
    if found is not None:
        return Visibility(False, f"The WebUI finds {found} under the name {file.stem}, not {file}; rename one of them.")
    return _elsewhere(file, Path(shared.cmd_opts.hypernetwork_dir))


LISTED: dict[Output, Callable[[Path], Visibility]] = {
    "checkpoint": checkpoint_listed,
    "embedding": embedding_listed,
    "hypernetwork": hypernetwork_listed,
}


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _elsewhere(file: Path, folder: Path) -> Visibility:
    if not file.exists():
        return Visibility(False, f"{file} is not there (any more).")
    return Visibility(False, f"{file} lies outside the WebUI's folder for such files, {folder}; copy it there.")
