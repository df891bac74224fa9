"""PyTorch's own `.ckpt`, `.pt` and `.bin` files: only tensors are taken out of them, code in them is refused unrun."""

from __future__ import annotations

import json
import pickle
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.models.tensor_files import ByteFile
from lib_trainer.models.tensor_headers import DOWNLOAD_AGAIN

SAFER = "Use a .safetensors of this model instead"


class PickleFile:
    """A file made by `torch.save`; of today's format (a zip archive) the tensors are read one by one."""

    def __init__(self, path: Path) -> None:
        """Read the names; a table under `state_dict` is taken for the whole.

        Raises:
            ModelError: the file is cut off, holds anything but tensors and plain values, or no tensors at all.
        """
        self.path = path
        self._bytes = ByteFile(path)
        in_pieces = zipfile.is_zipfile(path)
        loaded = _load_weights_only(path, "meta" if in_pieces else "cpu")
        self._tensors = _tensors(path, loaded)
        self._in_pieces = in_pieces
        self.metadata = _plain_values(loaded)
        self.shapes = {name: tuple(tensor.shape) for name, tensor in self._tensors.items()}

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        return self._tensors[name].dtype

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU as it is stored.

        Raises:
            ModelError: the file was changed since it was opened, or can't be read any more.
        """
        tensor = self._tensors[name]
        if not self._in_pieces:
            return tensor
        storage = tensor.untyped_storage()
        # torch.load notes on "meta" storages where their bytes start: `_checkpoint_offset`, in bytes.
        start: Any = storage._checkpoint_offset
        data = self._bytes.read(int(start), storage.nbytes())
        flat = data.view(tensor.dtype) if data.numel() else data.to(tensor.dtype)
        return flat.as_strided(tensor.shape, tensor.stride(), tensor.storage_offset()).contiguous()


def _load_weights_only(path: Path, where: str) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about pickle protocols, which the refusal below covers
            return torch.load(path, map_location=where, weights_only=True, mmap=False)
    except pickle.UnpicklingError as error:
        found = re.search(r"GLOBAL ([\w.]+)", str(error))
        what = f"calls for the Python object '{found[1]}'" if found else "holds Python objects"
        raise ModelError(
            f"{path} {what}, which could run any code on this computer; nothing of it was run. {SAFER}."
        ) from error
    except (RuntimeError, EOFError, KeyError, ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"{path} can't be read as a PyTorch file ({reason}). {DOWNLOAD_AGAIN}.") from error


def _tensors(path: Path, loaded: Any) -> dict[str, torch.Tensor]:
    table = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else loaded
    if not isinstance(table, dict):
        raise ModelError(f"{path} holds a {type(loaded).__name__} instead of named tensors. {SAFER}.")
    tensors = {str(name): value.detach() for name, value in _flat(table).items()}
    if not tensors:
        raise ModelError(f"{path} holds no tensors; it is no model. Choose a model file.")
    return tensors


def _plain_values(loaded: Any) -> dict[str, str]:
    """The values beside the tensors of an embedding or a hypernetwork as JSON; a checkpoint's are of no use."""
    if not isinstance(loaded, dict) or "state_dict" in loaded:
        return {}
    return {str(name): json.dumps(value) for name, value in loaded.items() if _is_plain(value)}


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (str, int, float))


def _flat(table: dict[Any, Any], prefix: str = "") -> dict[str, torch.Tensor]:
    """Nested tables' tensors under dotted names, so that an embedding or a hypernetwork can be told by them."""
    found: dict[str, torch.Tensor] = {}
    for name, value in table.items():
        if isinstance(value, torch.Tensor):
            found[f"{prefix}{name}"] = value
        elif isinstance(value, dict):
            found.update(_flat(value, f"{prefix}{name}."))
        elif isinstance(value, (list, tuple)):
            found.update(_flat(dict(enumerate(value)), f"{prefix}{name}."))
    return found
