"""Writes a learned word as an embedding file that A1111 and Forge read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from lib_trainer.core.errors import TrainingError
from lib_trainer.core.whole_files import whole_file
from lib_trainer.models.extra_words import ALONE
from lib_trainer.models.pickle_files import PickleFile
from lib_trainer.trainables.word_vectors import WEBUI_TENSOR

STAR = WEBUI_TENSOR.rpartition(".")[2]
STAR_TOKEN = 265  # of "*" in CLIP's vocabulary, as A1111 writes it


def write_webui_embedding(path: Path, tensors: Mapping[str, Tensor], dtype: torch.dtype, name: str, step: int) -> None:
    """Write a word's vectors as A1111's own `.pt`, and read them back.

    Raises:
        TrainingError: a value is not finite in `dtype`, or what is read back differs from what was written.
        OSError: what the disk said; nothing is left behind.
    """
    kept = {name: tensor.detach().to("cpu", dtype).contiguous() for name, tensor in tensors.items()}
    if not all(torch.isfinite(tensor).all() for tensor in kept.values()):
        raise TrainingError(
            f"{path.name} was not written: a vector is not finite as {dtype}. Save in bf16 or fp32, or lower the "
            "learning rate."
        )
    if set(kept) == set(ALONE):
        (vectors,) = kept.values()
        whole = {
            "string_to_token": {STAR: STAR_TOKEN},
            "string_to_param": {STAR: vectors},
            "name": name,
            "step": step,
            "sd_checkpoint": None,
            "sd_checkpoint_name": None,
        }
        wanted = {WEBUI_TENSOR: vectors}
    else:
        whole, wanted = dict(kept), kept
    with whole_file(path) as file:
        # A1111's check of pickles refuses the archives of today's PyTorch: they have members that it doesn't know.
        torch.save(whole, file, _use_new_zipfile_serialization=False)
        file.flush()
        found = PickleFile(Path(file.name))
        if set(found.shapes) != set(wanted) or not all(torch.equal(found.read(key), wanted[key]) for key in wanted):
            raise TrainingError(f"{path} was not written: what is read back differs; check the disk, save again.")
