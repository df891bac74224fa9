"""Where captioners' models lie on this computer, and which there are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lib_trainer.core.errors import ModelError
from lib_trainer.core.places import data_folder, webui_root
from lib_trainer.core.registry import did_you_mean

FOLDER = "captioners"
OF_THE_WEBUI = ("BLIP", "torch_deepdanbooru", "DeepDanbooru", "deepbooru", "interrogators", "wd14", "TaggerOnnx", "LLM")


def own_folder() -> Path:
    """Where downloaded models are put: `models/captioners` of the WebUI, or of our own data where there is none."""
    return (webui_root() or data_folder()) / "models" / FOLDER


def model_folders() -> list[Path]:
    """All folders that are looked through for models, ours first."""
    root = webui_root()
    others = [root / "models" / name for name in OF_THE_WEBUI] if root is not None else []
    return [own_folder(), *others]


def found_models(is_model: Callable[[Path], bool]) -> dict[str, Path]:
    """Name -> file or folder of each model that `is_model` knows, in the order of the folders and of the names."""
    found: dict[str, Path] = {}
    for folder in model_folders():
        for entry in _entries(folder):
            inside = [] if is_model(entry) else _entries(entry)
            for path in [entry, *inside]:
                if is_model(path):
                    found.setdefault(path.stem if path.is_file() else path.name, path)
    return found


def find_model(kind: str, name: str, place: Path | None, is_model: Callable[[Path], bool]) -> Path:
    """The model at that place, or of that name; where neither is told the first that is found.

    Raises:
        ModelError: there is none.
    """
    if place is not None:
        if is_model(place):
            return place
        raise ModelError(f"{place} is not a model for {kind}; choose the folder or file with its files.")
    found = found_models(is_model)
    if name in found:
        return found[name]
    if not name and found:
        return next(iter(found.values()))
    if Path(name).name != name:
        raise ModelError(f"{name} is a path and 'model' a name; give the path as 'place'.")
    if name:
        hint = did_you_mean(name, list(found))
        raise ModelError(f"{own_folder()} has no model {name!r} for {kind}.{hint} Download it, or say where it lies.")
    raise ModelError(f"There is no model for {kind} in {own_folder()}; download one, or say where yours lies.")


def _entries(folder: Path) -> list[Path]:
    """What lies in a folder; nothing where it is none, or can't be read."""
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError:
        return []
