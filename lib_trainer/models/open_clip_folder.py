"""A diffusers folder's text encoder in CLIP's layout, seen as the original file has it: in OpenCLIP's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import torch

from lib_trainer.models.model import Shapes
from lib_trainer.models.open_clip import APART, INSIDE, JOINED, OUTSIDE, TRANSPOSED, Prefixes, Stored
from lib_trainer.models.tensor_files import TensorFile

OUTSIDE_BACK = {clip: open_clip for open_clip, clip in OUTSIDE.items()}
INSIDE_BACK = {clip: open_clip for open_clip, clip in INSIDE.items()}
CLIP_LAYER = re.compile(r"text_model\.encoder\.layers\.(\d+)\.(.+)\.(weight|bias)")
HEADS = re.compile(r"self_attn\.[qkv]_proj")


class StoredAsOpenClip:
    """A file of tensors whose CLIP encoder is seen as OpenCLIP's.

    With `repeats_last_layer` the last layer comes once more: folders leave out the one that Stable Diffusion 2 does
    not use, whereas programs that read single files count on it.
    """

    def __init__(self, source: TensorFile, prefixes: Prefixes, repeats_last_layer: bool) -> None:
        self._source = source
        self.path, self.metadata = source.path, source.metadata
        stored = describe_folder(source.shapes, prefixes)
        if repeats_last_layer:
            stored += _once_more(stored, prefixes)
        self._stored = {one.name: one for one in stored}
        self.shapes = {one.name: one.shape for one in stored}

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        return self._source.dtype(self._stored[name].seen_as[0])

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU, put together as the original file has it.

        Raises:
            ModelError: its file was changed since it was opened, or can't be read any more.
        """
        stored = self._stored[name]
        seen: Mapping[str, torch.Tensor] = {one: self._source.read(one) for one in stored.seen_as}
        return stored.join(seen).contiguous()


def describe_folder(shapes: Shapes, prefixes: Prefixes) -> list[Stored]:
    """Each tensor as OpenCLIP's layout has it, with the names in CLIP's layout of what it is made of."""
    found: dict[str, Stored] = {}
    for name, shape in shapes.items():
        original, together = _original(name, prefixes)
        whole = (shape[0] * len(together), *shape[1:]) if len(together) > 1 else tuple(shape)
        is_transposed = original != name and original.endswith(TRANSPOSED)
        found.setdefault(original, Stored(original, whole[::-1] if is_transposed else whole, together))
    return list(found.values())


def _original(name: str, prefixes: Prefixes) -> tuple[str, tuple[str, ...]]:
    """A tensor's name in OpenCLIP's layout, and the names of all that are stored together with it."""
    rest = name.removeprefix(prefixes.clip)
    if rest == name:
        return name, (name,)
    if rest in OUTSIDE_BACK:
        return prefixes.open_clip + OUTSIDE_BACK[rest], (name,)
    match = CLIP_LAYER.fullmatch(rest)
    if match is None:
        return name, (name,)
    number, module, kind = match.groups()
    block = f"{prefixes.open_clip}transformer.resblocks.{number}"
    if HEADS.fullmatch(module):
        layer = f"{prefixes.clip}text_model.encoder.layers.{number}.self_attn"
        return f"{block}.{JOINED}_{kind}", tuple(f"{layer}.{letter}_proj.{kind}" for letter in APART)
    return (f"{block}.{INSIDE_BACK[module]}.{kind}", (name,)) if module in INSIDE_BACK else (name, (name,))


def _once_more(stored: list[Stored], prefixes: Prefixes) -> list[Stored]:
    pattern = re.compile(rf"({re.escape(prefixes.open_clip)}transformer\.resblocks\.)(\d+)(\..+)")
    blocks = [(match, one) for one in stored if (match := pattern.fullmatch(one.name))]
    last = max((int(match[2]) for match, _ in blocks), default=0)
    return [replace(one, name=f"{match[1]}{last + 1}{match[3]}") for match, one in blocks if int(match[2]) == last]
