"""The one map between the tensor names of original Stable Diffusion checkpoints and those of our modules.

Original names are those of CompVis' single files; ours are diffusers' (U-Net, VAE) and transformers' (text encoder),
each behind its part: `unet.`, `vae.`, `text_encoder.`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lib_trainer.models.sd1_layout import UNET, VAE, Layout, UnetSizes, VaeSizes

PARTS = ("unet", "vae", "text_encoder")
UNET_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
VAE_RESNET = {"nin_shortcut": "conv_shortcut", **{name: name for name in ("norm1", "conv1", "norm2", "conv2")}}
# The original's four are 1x1 convolutions [c, c, 1, 1], ours linear layers [c, c].
VAE_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}
Pairs = Iterator[tuple[str, str]]


class KeyMap:
    """A bijection between module names, applied to the tensors in and under them."""

    def __init__(self, layout: Layout, text: str | Mapping[str, str]) -> None:
        """`text` is what stands before the names of the one text encoder, or original and our names of several."""
        texts = {text.rstrip("."): "text_encoder"} if isinstance(text, str) else text
        pairs = [*_unet(layout.unet), *_vae(layout.vae), *texts.items()]
        self._to_ours = dict(pairs)
        self._to_original = {ours: original for original, ours in pairs}

    def ours(self, original: str) -> str | None:
        """Our name of a tensor, or None if the modules have no such tensor's module."""
        return _translate(original, self._to_ours)

    def original(self, ours: str) -> str | None:
        """The original name of a tensor of our modules."""
        return _translate(ours, self._to_original)


def original_vae_name(ours: str, sizes: VaeSizes) -> str | None:
    """The original name of a tensor of a VAE alone."""
    return _translate(f"vae.{ours}", {mine: original for original, mine in _vae(sizes)})


def original_shape(original: str, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape in the original layout of a tensor that has `shape` in ours."""
    is_vae_attention = original.startswith(VAE) and ".mid.attn_1." in original and original.endswith(".weight")
    return (*shape, 1, 1) if is_vae_attention and len(shape) == 2 else shape


def _translate(name: str, modules: dict[str, str]) -> str | None:
    """The name with its longest known module replaced."""
    module = name
    while module:
        if module in modules:
            return modules[module] + name[len(module) :]
        module = module.rpartition(".")[0]
    return None


def _unet(sizes: UnetSizes) -> Pairs:
    yield f"{UNET}time_embed.0", "unet.time_embedding.linear_1"
    yield f"{UNET}time_embed.2", "unet.time_embedding.linear_2"
    if sizes.added_width:
        yield f"{UNET}label_emb.0.0", "unet.add_embedding.linear_1"
        yield f"{UNET}label_emb.0.2", "unet.add_embedding.linear_2"
    yield f"{UNET}input_blocks.0.0", "unet.conv_in"
    yield f"{UNET}out.0", "unet.conv_norm_out"
    yield f"{UNET}out.2", "unet.conv_out"
    for block in (0, 2):
        yield from _inside(f"{UNET}middle_block.{block}", f"unet.mid_block.resnets.{block // 2}", UNET_RESNET)
    yield f"{UNET}middle_block.1", "unet.mid_block.attentions.0"
    levels = len(sizes.channels)
    for level, has_attention in enumerate(sizes.attention):
        yield from _unet_down(level, has_attention, sizes.layers, is_last=level == levels - 1)
    for level, has_attention in enumerate(reversed(sizes.attention)):
        yield from _unet_up(level, has_attention, sizes.layers, is_last=level == levels - 1)


def _unet_down(level: int, has_attention: bool, layers: int, *, is_last: bool) -> Pairs:
    first = 1 + level * (layers + 1)
    for layer in range(layers):
        original, ours = f"{UNET}input_blocks.{first + layer}", f"unet.down_blocks.{level}"
        yield from _inside(f"{original}.0", f"{ours}.resnets.{layer}", UNET_RESNET)
        if has_attention:
            yield f"{original}.1", f"{ours}.attentions.{layer}"
    if not is_last:
        yield f"{UNET}input_blocks.{first + layers}.0.op", f"unet.down_blocks.{level}.downsamplers.0.conv"


def _unet_up(level: int, has_attention: bool, layers: int, *, is_last: bool) -> Pairs:
    first = level * (layers + 1)
    for layer in range(layers + 1):
        original, ours = f"{UNET}output_blocks.{first + layer}", f"unet.up_blocks.{level}"
        yield from _inside(f"{original}.0", f"{ours}.resnets.{layer}", UNET_RESNET)
        if has_attention:
            yield f"{original}.1", f"{ours}.attentions.{layer}"
    if not is_last:
        place = 2 if has_attention else 1
        yield f"{UNET}output_blocks.{first + layers}.{place}.conv", f"unet.up_blocks.{level}.upsamplers.0.conv"


def _vae(sizes: VaeSizes) -> Pairs:
    for name in ("quant_conv", "post_quant_conv"):
        yield f"{VAE}{name}", f"vae.{name}"
    levels = len(sizes.channels)
    for half, blocks, sampler, layers in (
        ("encoder", "down", "downsample", sizes.layers),
        ("decoder", "up", "upsample", sizes.layers + 1),
    ):
        original, ours = f"{VAE}{half}", f"vae.{half}"
        yield f"{original}.conv_in", f"{ours}.conv_in"
        yield f"{original}.norm_out", f"{ours}.conv_norm_out"
        yield f"{original}.conv_out", f"{ours}.conv_out"
        for block in (0, 1):
            yield from _inside(f"{original}.mid.block_{block + 1}", f"{ours}.mid_block.resnets.{block}", VAE_RESNET)
        yield from _inside(f"{original}.mid.attn_1", f"{ours}.mid_block.attentions.0", VAE_ATTENTION)
        for level in range(levels):
            # The original counts the decoder's levels from the full resolution, ours from the latents.
            theirs = f"{original}.{blocks}.{level if half == 'encoder' else levels - 1 - level}"
            mine = f"{ours}.{blocks}_blocks.{level}"
            for layer in range(layers):
                yield from _inside(f"{theirs}.block.{layer}", f"{mine}.resnets.{layer}", VAE_RESNET)
            if level < levels - 1:
                yield f"{theirs}.{sampler}.conv", f"{mine}.{sampler}rs.0.conv"


def _inside(original: str, ours: str, names: dict[str, str]) -> Pairs:
    for their_name, our_name in names.items():
        yield f"{original}.{their_name}", f"{ours}.{our_name}"
