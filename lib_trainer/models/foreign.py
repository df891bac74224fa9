"""Says what a file is that is not supported, from its tensors' names and shapes."""

from __future__ import annotations

import re

from lib_trainer.models.model import Shapes

# The first line whose pattern is found in any name tells the kind.
KINDS = (
    (r"\.lora_(down|up|A|B|mid)\.|\.hada_|\.lokr_|^lora_(unet|te)", "a LoRA or another network file, no checkpoint"),
    (r"^control_model\.|controlnet_|^zero_convs\.|^input_hint_block\.", "a ControlNet"),
    (r"joint_blocks\.|^transformer\.pos_embed", "a Stable Diffusion 3 checkpoint"),
    (r"double_blocks\.|single_transformer_blocks\.", "a Flux checkpoint"),
    (r"^conditioner\.embedders\.|label_emb\.|add_embedding\.", "a Stable Diffusion XL checkpoint, but no whole base"),
    (r"^cond_stage_model\.model\.", "a Stable Diffusion 2 checkpoint, but no whole base"),
    (r"^string_to_param|^emb_params$|^clip_[lg]$", "a textual-inversion embedding"),
    (r"^\d+\.\d+\.linear\.", "a hypernetwork"),
    (r"RDB\d|^conv_first\.|^params(_ema)?\.|^conv_body\.|^model\.1\.sub\.", "an upscaler"),
    (r"^(down_blocks|up_blocks|mid_block)\.", "the U-Net alone out of a diffusers folder (give the whole folder)"),
)
UNET = "model.diffusion_model."
FIRST = f"{UNET}input_blocks.0.0.weight"
SHOWN = 3


def what_it_looks_like(shapes: Shapes) -> str:
    """A few words for the kind of file, for a message to the user."""
    for pattern, kind in KINDS:
        if any(re.search(pattern, name) for name in shapes):
            return kind
    if FIRST in shapes:
        return _with_unet(shapes)
    if any(re.match(r"(first_stage_model\.)?(decoder|encoder)\.(conv_in|mid|mid_block)\.", name) for name in shapes):
        return "a VAE alone"
    if any("text_model.encoder." in name or "transformer.resblocks." in name for name in shapes):
        return "a text encoder alone"
    if len(shapes) <= 2 and all(len(shape) <= 2 for shape in shapes.values()):
        return "a textual-inversion embedding"
    return f"an unknown kind of model (its tensors are named {', '.join(sorted(shapes)[:SHOWN])}, ...)"


def _with_unet(shapes: Shapes) -> str:
    channels = shapes[FIRST][1] if len(shapes[FIRST]) > 1 else 0
    if any(name.startswith(UNET) and name.endswith(".proj_in.weight") and len(shapes[name]) == 2 for name in shapes):
        return "a Stable Diffusion 2 checkpoint"
    if channels != 4:
        kinds = {9: "an inpainting checkpoint", 8: "an instruct-pix2pix checkpoint"}
        return f"{kinds.get(channels, 'a special checkpoint')} (its U-Net takes {channels} channels instead of 4)"
    wanted = {"cond_stage_model.transformer.": "text encoder", "first_stage_model.decoder.": "VAE"}
    missing = [part for prefix, part in wanted.items() if not any(name.startswith(prefix) for name in shapes)]
    return f"a Stable Diffusion checkpoint without its {' and its '.join(missing) or 'usual parts'}"
