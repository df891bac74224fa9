"""The miniature built and filled by other people's code, to compare ours with."""

from __future__ import annotations

from pathlib import Path

from lib_trainer.models.clip_tokens import FILES
from lib_trainer.models.sd1_layout import TEXT
from tests.models.miniature import MINIATURE


def diffusers_pipeline(path: Path):
    """A `StableDiffusionPipeline` in fp32 from a miniature's file, by diffusers' own key conversion."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
    from safetensors.torch import load_file
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    weights = {name: tensor.float() for name, tensor in load_file(path).items()}
    unet = UNet2DConditionModel(
        block_out_channels=MINIATURE.unet.channels,
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=8,
        cross_attention_dim=64,
    )
    unet.load_state_dict(convert_ldm_unet_checkpoint(dict(weights), dict(unet.config)))
    vae = AutoencoderKL(
        block_out_channels=MINIATURE.vae.channels,
        layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
    )
    vae.load_state_dict(convert_ldm_vae_checkpoint(dict(weights), dict(vae.config)))
    text = MINIATURE.text
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=text.width,
            intermediate_size=text.inner_width,
            num_hidden_layers=text.layers,
            num_attention_heads=1,
            bos_token_id=49406,
            eos_token_id=49407,
            attn_implementation="eager",
        )
    )
    prefix = f"{TEXT}text_model."
    encoder_weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items() if name.startswith(prefix)}
    text_encoder.load_state_dict(encoder_weights)
    return StableDiffusionPipeline(
        vae=vae.eval(),
        text_encoder=text_encoder.eval(),
        tokenizer=CLIPTokenizer.from_pretrained(FILES),
        unet=unet.eval(),
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            clip_sample=False,
            set_alpha_to_one=False,
            steps_offset=1,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
