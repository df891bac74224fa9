"""Which layers of a model have a LoRA, and what its file holds, from the model's outline alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from lib_trainer.models.outline import Outline
from lib_trainer.trainables.base import NetworkOutline, Shape

if TYPE_CHECKING:
    from lib_trainer.trainables.lora import Lora

# Classes whose linear layers and 1x1 convolutions are adapted, and those that join in with `conv_rank`; each with the
# name that its modules have in the path of those inside them.
LINEAR_BLOCKS = {"Transformer2DModel": "attentions", "CLIPAttention": "self_attn", "CLIPMLP": "mlp"}
CONV_BLOCKS = {"ResnetBlock2D": "resnets", "Downsample2D": "downsamplers", "Upsample2D": "upsamplers"}
FILE_PARTS = ("lora_down.weight", "lora_up.weight", "alpha")
MATRIX = 2  # dimensions; of less are norms


def outline_lora(options: Lora, model: Outline, parts: Collection[str], original_names: bool) -> NetworkOutline:
    """A new network on those parts; `original_names` are those of the original layout."""
    name_of = model.names.original_network_name if original_names else model.names.network_name
    tensors: dict[str, Shape] = {}
    trained: list[Shape] = []
    large_ones = False
    for part, module, (outside, *inside) in _layers(model, parts, with_convolutions=options.conv_rank > 0):
        large = inside[1:] not in ([], [1, 1])
        rank = options.conv_rank if large else options.rank
        down, up = (rank, *inside), (outside, rank, 1, 1) if len(inside) > 1 else (outside, rank)
        layer = name_of(part, module)
        tensors |= dict(zip((f"{layer}.{suffix}" for suffix in FILE_PARTS), (down, up, ()), strict=True))
        trained += [down, up]
        large_ones |= large
    conv = (options.conv_rank, options.conv_alpha) if large_ones else None
    return NetworkOutline(trained, tensors, told_shapes(options.rank, options.alpha, conv))


def _layers(
    model: Outline, parts: Collection[str], with_convolutions: bool
) -> Iterator[tuple[str, str, Shape]]:
    """Part, module and the shape of its weight."""
    wanted = {*LINEAR_BLOCKS.values(), *(CONV_BLOCKS.values() if with_convolutions else ())}
    for part in parts:
        for module, shape in model.modules[part].items():
            if len(shape) >= MATRIX and wanted & set(module.split(".")[:-1]):
                yield part, module, shape


def told_shapes(rank: int, alpha: float, conv: tuple[int, float] | None) -> dict[str, str]:
    """What the file's header says of these sizes, in kohya's keys; `conv` are those of the large convolutions."""
    told = {"ss_network_module": "networks.lora", "ss_network_dim": str(rank), "ss_network_alpha": str(alpha)}
    if conv is not None:
        told["ss_network_args"] = f'{{"conv_dim": "{conv[0]}", "conv_alpha": "{conv[1]}"}}'
    return told
