"""Tensors on their way into a checkpoint: in which dtype, as which bytes, and whether they came through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from lib_trainer.core.errors import ModelError, OutputError
from lib_trainer.models.tensor_files import DTYPES, TensorFile
from lib_trainer.models.tensor_tables import TensorTable

NAMES = {dtype: name for name, dtype in DTYPES.items()}


@dataclass(frozen=True)
class Writing:
    """What is written into the file `path`, tensor by tensor; `path` is named in messages.

    Args:
        tensors: the table.
        dtype: of all floating-point tensors; None keeps each tensor's dtype in the source.
    """

    path: Path
    tensors: TensorTable
    dtype: torch.dtype | None = None

    def dtypes(self) -> dict[str, torch.dtype]:
        """The dtype in the file of each tensor."""
        stored = {name: self.tensors.stored_dtype(name) for name in self.tensors}
        return {name: self.dtype if self.dtype and one.is_floating_point else one for name, one in stored.items()}

    def data(self, name: str, dtype: torch.dtype) -> memoryview:
        """A tensor's bytes.

        Raises:
            ModelError: it holds values that are not finite, or not finite any more in `dtype`.
        """
        tensor = self.tensors[name].to(dtype).contiguous()
        if not is_finite(tensor):
            limit = f" (the largest that {NAMES[dtype]} holds is {torch.finfo(dtype).max:g})"
            raise ModelError(
                f"{self.path} is not written: {name} holds values that are not finite{limit}. "
                "Go back to an earlier state, or save in F32 if they were only too large."
            )
        return tensor.reshape(-1).view(torch.uint8).numpy().data

    def check(self, written: TensorFile) -> None:
        """Check what was read back.

        Raises:
            OutputError: it is not what was written.
        """
        dtypes = self.dtypes()
        wrong = [
            name
            for name, dtype in dtypes.items()
            if written.shapes.get(name) != self.tensors.shape(name)
            or written.dtype(name) != dtype
            or not is_finite(written.read(name))
        ]
        if wrong or len(written.shapes) != len(dtypes):
            raise OutputError(
                f"{self.path} is not written: read back, {len(wrong)} of its {len(dtypes)} tensors differ"
                f"{': ' + wrong[0] if wrong else ''}. Check the disk and save again."
            )


def is_finite(tensor: torch.Tensor) -> bool:
    """Whether every value is a number; tensors of whole numbers always are."""
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
