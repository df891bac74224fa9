"""The small Stable Diffusion 2 and XL models built and filled by other people's code, to compare ours with."""

from __future__ import annotations

from pathlib import Path

from lib_trainer.models.clip_tokens import FILES
from tests.models.families import SD2, SDXL


def _parts(path: Path):
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
    from safetensors.torch import load_file

    weights = {name: tensor.float() for name, tensor in load_file(path).items()}

    def unet(**config):
        from diffusers import UNet2DConditionModel

        model = UNet2DConditionModel(layers_per_block=1, use_linear_projection=True, **config)
        model.load_state_dict(convert_ldm_unet_checkpoint(dict(weights), dict(model.config)))
        return model.eval()

    def vae(**config):
        from diffusers import AutoencoderKL

        kinds = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
        model = AutoencoderKL(block_out_channels=SD2.vae.channels, layers_per_block=1, **kinds, **config)
        model.load_state_dict(convert_ldm_vae_checkpoint(dict(weights), dict(model.config)))
        return model.eval()

    return weights, unet, vae


def _text_config(sizes, layers, **config):
    from transformers import CLIPTextConfig

    return CLIPTextConfig(
        hidden_size=sizes.width, intermediate_size=sizes.inner_width, num_hidden_layers=layers,
        num_attention_heads=sizes.width // 64, bos_token_id=49406, eos_token_id=49407, attn_implementation="eager",
        **config,
    )  # fmt: skip


def _open_clip(weights, encoder, prefix):
    """Fill an encoder by diffusers' own conversion; what its config leaves out is not loaded."""
    from diffusers.loaders.single_file_utils import convert_open_clip_checkpoint

    converted = convert_open_clip_checkpoint(encoder, dict(weights), prefix=prefix)
    wanted = encoder.state_dict()
    flat = {name if name in wanted else name.removeprefix("text_model."): tensor for name, tensor in converted.items()}
    fitting = {name: tensor for name, tensor in flat.items() if name in wanted}
    assert not set(wanted) - set(fitting) - {"embeddings.position_ids", "text_model.embeddings.position_ids"}
    encoder.load_state_dict(fitting, strict=False)
    return encoder.eval()


def _tokenizer(**settings):
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(FILES, **settings)


def _scheduler(**settings):
    from diffusers import DDIMScheduler

    return DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1, **settings,
    )  # fmt: skip


def sd2_pipeline(path: Path):
    """A `StableDiffusionPipeline` in fp32, by diffusers' own key conversion."""
    from diffusers import StableDiffusionPipeline
    from transformers import CLIPTextModel

    weights, unet, vae = _parts(path)
    config = _text_config(SD2.text, SD2.text.layers - 1, hidden_act="gelu", projection_dim=SD2.text.projection)
    return StableDiffusionPipeline(
        vae=vae(),
        text_encoder=_open_clip(weights, CLIPTextModel(config), "cond_stage_model.model."),
        tokenizer=_tokenizer(pad_token="!"),
        unet=unet(
            block_out_channels=SD2.unet.channels,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
            attention_head_dim=[1, 2],
            cross_attention_dim=64,
        ),
        scheduler=_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl_pipeline(path: Path):
    """A `StableDiffusionXLPipeline` in fp32, by diffusers' own key conversion."""
    from diffusers import StableDiffusionXLPipeline
    from transformers import CLIPTextModel, CLIPTextModelWithProjection

    weights, unet, vae = _parts(path)
    first = CLIPTextModel(_text_config(SDXL.text, SDXL.text.layers))
    prefix = "conditioner.embedders.0.transformer.text_model."
    first.load_state_dict({name.removeprefix(prefix): one for name, one in weights.items() if name.startswith(prefix)})
    two = SDXL.second_text
    config = _text_config(two, two.layers, hidden_act="gelu", projection_dim=two.projection)
    return StableDiffusionXLPipeline(
        vae=vae(scaling_factor=0.13025),
        text_encoder=first.eval(),
        text_encoder_2=_open_clip(weights, CLIPTextModelWithProjection(config), "conditioner.embedders.1.model."),
        tokenizer=_tokenizer(),
        tokenizer_2=_tokenizer(pad_token="!"),
        unet=unet(
            block_out_channels=SDXL.unet.channels,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=[1, 1, 2],
            cross_attention_dim=192,
            transformer_layers_per_block=[1, 1, 2],
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=SDXL.unet.added_width,
        ),
        scheduler=_scheduler(),
        add_watermarker=False,
    )


PIPELINES = {"sd2": sd2_pipeline, "sdxl": sdxl_pipeline}
