"""OpenCLIP text encoders seen as CLIP's, tensor by tensor, and back.

Stable Diffusion 2 and the second encoder of SDXL are stored in OpenCLIP's layout: queries, keys and values as one
tensor, and the projection of the pooled state as [in, out]. Our modules have them apart, and as [out, in].
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch

from lib_trainer.models.model import Shapes
from lib_trainer.models.tensor_files import TensorFile

OUTSIDE = {
    "token_embedding.weight": "text_model.embeddings.token_embedding.weight",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "ln_final.weight": "text_model.final_layer_norm.weight",
    "ln_final.bias": "text_model.final_layer_norm.bias",
    "text_projection": "text_projection.weight",
}
INSIDE = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
LAYER = re.compile(r"transformer\.resblocks\.(\d+)\.(.+)[._](weight|bias)")
JOINED, APART = "attn.in_proj", ("q", "k", "v")
TRANSPOSED = "text_projection"


@dataclass(frozen=True)
class Prefixes:
    """What stands before the names of an encoder's tensors: in OpenCLIP's layout, and seen as CLIP's."""

    open_clip: str
    clip: str


@dataclass(frozen=True)
class Stored:
    """A tensor as it is stored, and under which names it is seen: itself, or its equal parts along the first side."""

    name: str
    shape: tuple[int, ...]
    seen_as: tuple[str, ...]

    @property
    def seen_shape(self) -> tuple[int, ...]:
        if self.is_transposed:
            return self.shape[::-1]
        return (self.shape[0] // len(self.seen_as), *self.shape[1:]) if self.shape else ()

    @property
    def is_transposed(self) -> bool:
        return self.seen_as[0] != self.name and self.name.endswith(TRANSPOSED)

    def take(self, whole: torch.Tensor, seen: str) -> torch.Tensor:
        """One of the tensors that are seen, out of the stored one."""
        if self.is_transposed:
            return whole.T
        return whole.chunk(len(self.seen_as))[self.seen_as.index(seen)] if len(self.seen_as) > 1 else whole

    def join(self, seen: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The stored tensor out of those that are seen."""
        tensors = [seen[name] for name in self.seen_as]
        if self.is_transposed:
            return tensors[0].T
        return torch.cat(tensors) if len(tensors) > 1 else tensors[0]


def describe(shapes: Shapes, prefixes: Prefixes) -> list[Stored]:
    """Each tensor of a file, in the file's order, with the names under which it is seen."""
    return [Stored(name, tuple(shape), _seen_as(name, prefixes)) for name, shape in shapes.items()]


def as_clip(shapes: Shapes, prefixes: Prefixes) -> dict[str, tuple[int, ...]]:
    """The shapes of a file whose OpenCLIP encoder is seen as CLIP's."""
    return {seen: stored.seen_shape for stored in describe(shapes, prefixes) for seen in stored.seen_as}


def _seen_as(name: str, prefixes: Prefixes) -> tuple[str, ...]:
    if not name.startswith(prefixes.open_clip):
        return (name,)
    rest = name.removeprefix(prefixes.open_clip)
    if rest in OUTSIDE:
        return (prefixes.clip + OUTSIDE[rest],)
    match = LAYER.fullmatch(rest)
    if match is None:
        return (name,)
    number, module, kind = match.groups()
    layer = f"{prefixes.clip}text_model.encoder.layers.{number}"
    if module == JOINED:
        return tuple(f"{layer}.self_attn.{letter}_proj.{kind}" for letter in APART)
    return (f"{layer}.{INSIDE[module]}.{kind}",) if module in INSIDE else (name,)


class SeenAsClip:
    """A file of tensors whose OpenCLIP encoder is seen as CLIP's."""

    def __init__(self, source: TensorFile, prefixes: Prefixes) -> None:
        self.source, self._prefixes = source, prefixes
        self.path, self.metadata = source.path, source.metadata
        self._stored = describe(source.shapes, prefixes)
        self._places = {seen: stored for stored in self._stored for seen in stored.seen_as}
        self.shapes = {seen: stored.seen_shape for seen, stored in self._places.items()}

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        return self.source.dtype(self._places[name].name)

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU, as it is stored but for its place and sides.

        Raises:
            ModelError: the file was changed since it was opened, or can't be read any more.
        """
        stored = self._places[name]
        return stored.take(self.source.read(stored.name), name).contiguous()

    def seen(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Tensors of another file of the same layout, as those of this one are seen."""
        described = describe({name: tuple(tensor.shape) for name, tensor in tensors.items()}, self._prefixes)
        return {name: each.take(tensors[each.name], name) for each in described for name in each.seen_as}

    def joined(self, seen: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Tensors in memory by the names and in the shapes of the file; each is put together when it is asked for."""
        whole = {stored.name: stored for stored in self._stored if all(name in seen for name in stored.seen_as)}
        return _Joined(whole, seen)


class _Joined(Mapping[str, torch.Tensor]):
    def __init__(self, stored: Mapping[str, Stored], seen: Mapping[str, torch.Tensor]) -> None:
        self._stored, self._seen = stored, seen

    def __getitem__(self, name: str) -> torch.Tensor:
        return self._stored[name].join(self._seen)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)
