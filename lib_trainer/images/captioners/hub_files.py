"""What a repository of the Hugging Face hub says of its files: names, sizes and checksums."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lib_trainer.core.errors import ModelError
from lib_trainer.images.captioners.known_models import KnownModel
from lib_trainer.images.captioners.pretrained import CONFIG, WEIGHTS

if TYPE_CHECKING:
    import httpx

PLAIN = re.compile(r"\w[\w.-]*\.(json|txt)")
LARGEST_SMALL = 50_000_000  # bytes


@dataclass(frozen=True)
class RemoteFile:
    """One file to fetch; `digest` is hexadecimal, of the kind `sha256`, or `git` (the SHA-1 that git gives a file)."""

    name: str
    address: str
    bytes: int
    digest: str
    kind: str

    def hasher(self) -> Any:
        """What takes the bytes of the file and gives `digest` at the end."""
        if self.kind == "sha256":
            return hashlib.sha256()
        return hashlib.sha1(f"blob {self.bytes}\0".encode(), usedforsecurity=False)


def files_of(client: httpx.Client, hub: str, model: KnownModel) -> list[RemoteFile]:
    """The files that a model needs.

    Raises:
        ModelError: the hub says nothing that can be used.
        httpx.HTTPError: it can't be asked.
    """
    if not model.is_of_the_hub:
        (name,) = model.files
        return [RemoteFile(name, f"{model.repository}/{name}", model.bytes, model.sha256[name], "sha256")]
    reply = client.get(f"{hub}/api/models/{model.repository}/revision/{model.revision}", params={"blobs": "true"})
    reply.raise_for_status()
    try:
        told = reply.json()
        listed = {each["rfilename"]: each for each in told["siblings"]}
        commit = str(told["sha"])
        names = list(model.files) or _needed(listed)
        files = [_file(listed[name], f"{hub}/{model.repository}/resolve/{commit}/{name}") for name in names]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{hub} says nothing usable of {model.repository} ({error!r}); try again later.") from error
    for file in files:
        known = model.sha256.get(file.name)
        if known is not None and (file.kind, file.digest) != ("sha256", known):
            raise ModelError(f"{file.name} of {model.repository} is not the file that is known here; try later.")
    return files


def _needed(listed: dict[str, Any]) -> list[str]:
    """All small files that tell of the model and its words, and its weights in the safest form there is."""
    small = [name for name, each in listed.items() if PLAIN.fullmatch(name) and not _is_large(each)]
    weights = [name for name in WEIGHTS if name in listed and name.endswith((".safetensors", ".bin"))]
    if CONFIG not in listed or not weights:
        raise KeyError("no config.json, or no weights")
    return [*sorted(small), weights[0]]


def _is_large(told: dict[str, Any]) -> bool:
    return int(told["size"]) > LARGEST_SMALL


def _file(told: dict[str, Any], address: str) -> RemoteFile:
    large = told.get("lfs")
    digest, kind = (large["sha256"], "sha256") if large else (told["blobId"], "git")
    return RemoteFile(told["rfilename"], address, int(told["size"]), str(digest), kind)
