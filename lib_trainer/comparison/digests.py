"""What tells one model or network file from another: its bytes, not its name."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lib_trainer.core.errors import ModelError
from lib_trainer.models.tensor_files import open_tensors

BLOCK = 1 << 20  # bytes


@dataclass(frozen=True)
class Digest:
    """`whole` covers all that a picture depends on; `shown` is by what the WebUI names the file, if at all."""

    whole: str
    shown: str


def model_digest(path: Path) -> Digest:
    """Of a checkpoint file with the `.yaml` beside it; of a diffusers folder by its files' names, sizes and times.

    `shown` is the WebUI's `Model hash`: 10 digits of the file's SHA-256; a folder has none.

    Raises:
        ModelError: a file can't be read.
    """
    try:
        if path.is_dir():
            files = [(file.relative_to(path).as_posix(), file.stat()) for file in sorted(path.rglob("*"))]
            told = [f"{name} {stat.st_size} {stat.st_mtime_ns}" for name, stat in files]
            return Digest(sha256("\n".join(told).encode()).hexdigest(), "")
        file = _sha256(path)
        config = path.with_suffix(".yaml")
        beside = _sha256(config) if config.is_file() else ""
    except OSError as error:
        raise ModelError(f"The model {path} can't be read ({error}); check the file and its rights.") from error
    return Digest(f"{file} {beside}".strip(), file[:10])


def network_digest(path: Path) -> Digest:
    """Of the tensors' bytes of a network: of a safetensors file what lies behind the header, else the whole file.

    `shown` is what the WebUI writes as `Lora hashes`: 12 digits of the hash in the header, else of this one.

    Raises:
        ModelError: the file is broken or can't be read.
    """
    metadata = open_tensors(path).metadata
    try:
        whole = _sha256(path, _data_start(path))
    except OSError as error:
        raise ModelError(f"The network {path} can't be read ({error}); check the file and its rights.") from error
    return Digest(whole, metadata.get("sshs_model_hash", whole)[:12])


def _data_start(path: Path) -> int:
    """Bytes before the tensors: a safetensors header and its length, https://github.com/huggingface/safetensors."""
    if path.suffix.lower() != ".safetensors":
        return 0
    with path.open("rb") as file:
        return 8 + int.from_bytes(file.read(8), "little")


def _sha256(path: Path, start: int = 0) -> str:
    digest = sha256()
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
