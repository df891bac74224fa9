"""Models in folders as Hugging Face's transformers writes them: known by their config.json, read without a network."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ModelError
from lib_trainer.images.captioners.base import Device

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json")


def is_pretrained(path: Path, model_type: str, architecture: str) -> bool:
    """Whether a folder holds the weights of such a model, by what its config.json says of itself."""
    try:
        config = json.loads((path / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    if not isinstance(config, dict) or config.get("model_type") != model_type:
        return False
    named = config.get("architectures") or [architecture]
    return architecture in named and any((path / name).is_file() for name in WEIGHTS)


def load_weights(cls: Any, folder: Path, device: Device) -> Any:
    """The model of a folder, ready to be asked: fp16 on a graphics card, fp32 else.

    Raises:
        ModelError: a file is missing, damaged or does not fit.
    """
    import torch

    wanted = torch.float16 if device == "cuda" else torch.float32
    with readable(folder), enough_memory():
        model, info = cls.from_pretrained(folder, dtype=wanted, local_files_only=True, output_loading_info=True)
        if info["missing_keys"]:
            missing = sorted(info["missing_keys"])
            raise ModelError(f"{folder} lacks {len(missing)} weights, such as {missing[0]}; fetch its files again.")
        return model.eval().to(device)


@contextmanager
def readable(folder: Path) -> Iterator[None]:
    """Whatever transformers says of files that it can't use, as one sentence.

    Raises:
        ModelError: it could not.
    """
    import pickle

    from safetensors import SafetensorError

    damage = (OSError, EOFError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, pickle.UnpicklingError)
    try:
        yield
    except damage as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ModelError(f"{folder} can't be used ({said}); fetch its files again.") from error


@contextmanager
def enough_memory() -> Iterator[None]:
    """Turn a full graphics card into a sentence.

    Raises:
        ModelError: it is full.
    """
    import torch

    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise ModelError(
            "The graphics card's memory is full; lower 'batch_size', or set 'device' to 'cpu'."
        ) from error
