"""A loaded model seen in the layout of its original file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from lib_trainer.models.tensor_files import TensorFile


class OriginalTensors(Mapping[str, torch.Tensor]):
    """Tensors by original name, in the source's order: those in memory as they are now, the rest read when asked for.

    What the modules don't have (`model_ema`, position numbers, schedules) is carried over from the source.
    """

    def __init__(
        self, source: TensorFile, loaded: Mapping[str, torch.Tensor], left_out: tuple[str, ...] = ()
    ) -> None:
        """Names that begin as one of `left_out` are not among them."""
        self._source, self._loaded = source, loaded
        self._names = [name for name in source.shapes if not name.startswith(left_out)]

    def without(self, *starts: str) -> OriginalTensors:
        """The same but for names that begin so."""
        return OriginalTensors(self._source, self._loaded, starts)

    def __getitem__(self, name: str) -> torch.Tensor:
        """The tensor in its original shape, on the CPU; in memory's dtype if it is loaded, else in the source's."""
        if name in self._loaded:
            return self._loaded[name].detach().cpu().reshape(self._source.shapes[name])
        return self._source.read(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    @property
    def metadata(self) -> dict[str, str]:
        """What the source says of itself."""
        return dict(self._source.metadata)

    def shape(self, name: str) -> tuple[int, ...]:
        """The original shape, without reading the tensor."""
        return self._source.shapes[name]

    def stored_dtype(self, name: str) -> torch.dtype:
        """The dtype in which the source stores the tensor."""
        return self._source.dtype(name)
