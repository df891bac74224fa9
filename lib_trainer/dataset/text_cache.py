"""What a frozen text encoder makes of captions, computed once for each caption and kept on disk and in memory."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lib_trainer.core.events import Progress
from lib_trainer.dataset.cache_files import DamagedFileError, read_tensors, write_tensors
from lib_trainer.dataset.context import DatasetContext

if TYPE_CHECKING:
    from lib_trainer.models.prompt import PromptReader

FORMAT = "texts 1"  # a new number when the file's layout changes
BATCH = 16
MEMORY_BYTES = 10**9


class TextCache:
    """What the text encoders make of captions. Only where they are not trained.

    Prepared captions come from memory, or from disk where memory is not to hold them all. Others, which vary by
    chance, are encoded when they are asked for, always the whole batch together, so that a resumed run computes
    the very same numbers.
    """

    def __init__(self, reader: PromptReader, context: DatasetContext) -> None:
        self._reader = reader
        self._context = context
        self._recipe = reader.recipe()
        self._prepared: set[str] = set()
        self._memory: dict[str, torch.Tensor] = {}
        self._memory_left = MEMORY_BYTES

    def prepare(self, captions: Sequence[str]) -> int:
        """Encode those captions that are not on disk yet, in batches; returns how many those were.

        Raises:
            StopRequested: asked for between two batches; what was encoded until then is kept.
            OutputError: the cache can't be written.
        """
        wanted = list(dict.fromkeys([*captions, *self._reader.fillers]))
        missing = [caption for caption in wanted if self._read(caption) is None]
        for start in range(0, len(missing), BATCH):
            self._context.check_stop()
            batch = missing[start : start + BATCH]
            for caption, states in zip(batch, self._reader.each(batch), strict=True):
                write_tensors(self.file(caption), {"states": states.contiguous()})
                self._keep(caption, states.clone())
            self._context.emit(Progress("Encoding captions", start + len(batch), len(missing), "captions"))
        self._prepared.update(wanted)
        return len(missing)

    def encode(self, captions: Sequence[str]) -> torch.Tensor:
        """What `Model.predict` takes, [n, length, width] on the CPU, in the text encoder's number format."""
        if all(caption in self._prepared for caption in captions):
            states = [self._read(caption) for caption in (*captions, *self._reader.fillers)]
            found = [one for one in states if one is not None]
            if len(found) == len(states):
                return self._reader.stacked(found)
        return self._reader.together(captions).cpu()

    def file(self, caption: str) -> Path:
        """Where the states of a caption lie, by the digest of all that they depend on."""
        key = sha256(json.dumps([FORMAT, caption, *self._recipe]).encode("utf-8")).hexdigest()
        return self._context.cache / "texts" / key[:2] / f"{key}.text"

    def _read(self, caption: str) -> torch.Tensor | None:
        if caption in self._memory:
            return self._memory[caption]
        try:
            tensors = read_tensors(self.file(caption))
        except DamagedFileError as error:
            self._context.warn(f"The cached text of '{caption}' is damaged ({error}); it is encoded again.")
            return None
        return None if tensors is None else self._keep(caption, tensors["states"])

    def _keep(self, caption: str, states: torch.Tensor) -> torch.Tensor:
        if states.nbytes <= self._memory_left and caption not in self._memory:
            self._memory[caption] = states
            self._memory_left -= states.nbytes
        return states
