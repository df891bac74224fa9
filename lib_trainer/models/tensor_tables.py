"""Named tensors of a loaded model that are read one by one, with their shapes and stored types known before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

import torch

from lib_trainer.models.tensor_files import TensorFile


class TensorTable(Protocol):
    """What a file is written from; the order is that of the file it comes from."""

    def __getitem__(self, name: str, /) -> torch.Tensor: ...

    def __iter__(self) -> Iterator[str]: ...

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape in which it is to be written, without reading the tensor."""

    def stored_dtype(self, name: str) -> torch.dtype:
        """The dtype in which the source stores the tensor."""


class PartTensors(Mapping[str, torch.Tensor]):
    """The tensors of one of a model's parts under our names: those in memory as they are now, else the source's."""

    def __init__(
        self, source: TensorFile, stored: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]],
        loaded: Mapping[str, torch.Tensor],
    ) -> None:  # fmt: skip
        """`stored` and `shapes` give the name in the source and our shape of each; `loaded` may have fewer or none."""
        self._source, self._stored, self._shapes, self._loaded = source, stored, shapes, loaded

    def __getitem__(self, name: str) -> torch.Tensor:
        """The tensor in our shape, on the CPU; in memory's dtype if it is loaded, else in the source's."""
        if name in self._loaded:
            return self._loaded[name].detach().cpu()
        return self._source.read(self._stored[name]).reshape(self._shapes[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def shape(self, name: str) -> tuple[int, ...]:
        """Our shape, without reading the tensor."""
        return self._shapes[name]

    def stored_dtype(self, name: str) -> torch.dtype:
        """The dtype in which the source stores the tensor."""
        return self._source.dtype(self._stored[name])

    def renamed(self, names: Mapping[str, str]) -> PartTensors:
        """Those tensors alone whose names are given, by old name, under their new ones."""
        return PartTensors(
            self._source,
            {new: self._stored[old] for old, new in names.items()},
            {new: self._shapes[old] for old, new in names.items()},
            {new: self._loaded[old] for old, new in names.items() if old in self._loaded},
        )
