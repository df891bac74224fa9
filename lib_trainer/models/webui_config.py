"""The `.yaml` beside a checkpoint by which the WebUI builds the model, made from the sizes of its tensors.

The WebUI guesses without one, and never guesses v-prediction but for Stable Diffusion 2; Forge does not guess it there
either. Layout: CompVis' v1-inference.yaml, Stability AI's v2-inference-v.yaml and sd_xl_base.yaml.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_trainer.models.model import Prediction
from lib_trainer.models.sd1_layout import Layout
from lib_trainer.models.sd1_settings import Settings, load_yaml

SCALINGS = "sgm.modules.diffusionmodules.denoiser_scaling."
WEIGHTINGS = "sgm.modules.diffusionmodules.denoiser_weighting."
OF_SDXL: dict[Prediction, str] = {"epsilon": "Eps", "v": "V"}
PARAMETERIZATIONS: dict[Prediction, str] = {"epsilon": "eps", "v": "v"}
LDM_DIFFUSION = "ldm.models.diffusion.ddpm."
SGM_UNET = "sgm.modules.diffusionmodules.openaimodel.UNetModel"
SIZE_KEYS = ("original_size_as_tuple", "crop_coords_top_left", "target_size_as_tuple")
EMBEDDERS = "sgm.modules.encoders.modules."


def config_beside(path: Path) -> dict[str, Any] | None:
    """What lies beside a checkpoint's file already; a text encoder's folder that it names is told in full.

    Raises:
        ModelError: it can't be read.
    """
    file = path.with_suffix(".yaml")
    if not path.is_file() or not file.is_file():
        return None
    config = load_yaml(file)
    text = ((config["model"].get("params") or {}).get("cond_stage_config") or {}).get("params") or {}
    if "version" in text and (folder := file.parent / str(text["version"])).is_dir():
        text["version"] = str(folder.absolute())
    return config


def needed_config(
    beside: dict[str, Any] | None, layout: Layout, settings: Settings, prediction: Prediction
) -> dict[str, Any] | None:
    """The one beside the source, or one made here where the model predicts the velocity; else none is needed."""
    if beside is not None:
        return with_prediction(beside, prediction)
    return webui_config(layout, settings, prediction) if prediction == "v" else None


def with_prediction(config: dict[str, Any], prediction: Prediction) -> dict[str, Any]:
    """A configuration that says the same but for what the model predicts."""
    params = dict(config["model"].get("params") or {})
    if "denoiser_config" in params:
        params["denoiser_config"] = _denoiser(prediction)
    else:
        params["parameterization"] = PARAMETERIZATIONS[prediction]
    return {**config, "model": {**config["model"], "params": params}}


def webui_config(layout: Layout, settings: Settings, prediction: Prediction) -> dict[str, Any]:
    """The whole configuration of a model; it differs by family as the layout does."""
    if layout.second_text is not None:
        return _whole("sgm.models.diffusion.DiffusionEngine", _sdxl(layout, settings, prediction))
    is_inpainting = layout.unet.extra_channels > 0
    params = {
        "parameterization": PARAMETERIZATIONS[prediction],
        "linear_start": settings.first_beta,
        "linear_end": settings.last_beta,
        "num_timesteps_cond": 1,
        "timesteps": settings.timesteps,
        "first_stage_key": "jpg",
        "cond_stage_key": "txt",
        "image_size": 64,
        "channels": layout.unet.latent_channels,
        "cond_stage_trainable": False,
        "conditioning_key": "hybrid" if is_inpainting else "crossattn",
        "scale_factor": settings.latent_factor,
        "use_ema": False,
        "unet_config": {
            "target": "ldm.modules.diffusionmodules.openaimodel.UNetModel",
            "params": {"use_checkpoint": False, "image_size": 32, **_unet(layout, settings), "transformer_depth": 1},
        },
        "first_stage_config": _vae(layout, "ldm.models.autoencoder.AutoencoderKL"),
        "cond_stage_config": _text(layout),
    }
    if is_inpainting:
        params["finetune_keys"] = None
    return _whole(LDM_DIFFUSION + ("LatentInpaintDiffusion" if is_inpainting else "LatentDiffusion"), params)


def _whole(target: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"model": {"target": target, "params": params}}


def _unet(layout: Layout, settings: Settings) -> dict[str, Any]:
    unet, first = layout.unet, layout.unet.channels[0]
    heads = {"num_heads": settings.unet_heads[0]}
    if len(set(settings.unet_heads)) > 1:
        heads = {"num_head_channels": unet.channels[-1] // settings.unet_heads[-1]}
    return {
        "in_channels": unet.input_channels,
        "out_channels": unet.latent_channels,
        "model_channels": first,
        "attention_resolutions": [2**level for level, has in enumerate(unet.attention) if has][::-1],
        "num_res_blocks": unet.layers,
        "channel_mult": [channels // first for channels in unet.channels],
        **heads,
        "use_spatial_transformer": True,
        **({"use_linear_in_transformer": True} if unet.projects_tokens else {}),
        "context_dim": unet.text_width,
        "legacy": False,
    }


def _vae(layout: Layout, target: str) -> dict[str, Any]:
    vae = layout.vae
    sizes = {
        "double_z": True,
        "z_channels": vae.latent_channels,
        "resolution": 256,
        "in_channels": 3,
        "out_ch": 3,
        "ch": vae.channels[0],
        "ch_mult": [channels // vae.channels[0] for channels in vae.channels],
        "num_res_blocks": vae.layers,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    return {
        "target": target,
        "params": {
            "embed_dim": vae.latent_channels,
            "monitor": "val/rec_loss",
            "ddconfig": sizes,
            "lossconfig": {"target": "torch.nn.Identity"},
        },
    }


def _text(layout: Layout) -> dict[str, Any]:
    if layout.unet.projects_tokens:
        params = {"freeze": True, "layer": "penultimate"}
        return {"target": "ldm.modules.encoders.modules.FrozenOpenCLIPEmbedder", "params": params}
    return {"target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder"}


def _denoiser(prediction: Prediction) -> dict[str, Any]:
    params = {
        "num_idx": 1000,
        "weighting_config": {"target": f"{WEIGHTINGS}{OF_SDXL[prediction]}Weighting"},
        "scaling_config": {"target": f"{SCALINGS}{OF_SDXL[prediction]}Scaling"},
        "discretization_config": {"target": "sgm.modules.diffusionmodules.discretizer.LegacyDDPMDiscretization"},
    }
    return {"target": "sgm.modules.diffusionmodules.denoiser.DiscreteDenoiser", "params": params}


def _sdxl(layout: Layout, settings: Settings, prediction: Prediction) -> dict[str, Any]:
    unet = layout.unet
    network = {
        "adm_in_channels": unet.added_width,
        "num_classes": "sequential",
        "use_checkpoint": False,
        **_unet(layout, settings),
        "transformer_depth": [unet.depth(level) for level in range(len(unet.channels))],
        "spatial_transformer_attn_type": "softmax-xformers",
    }
    return {
        "scale_factor": settings.latent_factor,
        "disable_first_stage_autocast": True,
        "denoiser_config": _denoiser(prediction),
        "network_config": {"target": SGM_UNET, "params": network},
        "conditioner_config": {
            "target": "sgm.modules.GeneralConditioner",
            "params": {"emb_models": [_clip(layout), _open_clip(), *map(_sizes, SIZE_KEYS)]},
        },
        "first_stage_config": _vae(layout, "sgm.models.autoencoder.AutoencoderKLInferenceWrapper"),
    }


def _clip(layout: Layout) -> dict[str, Any]:
    params = {"layer": "hidden", "layer_idx": layout.text.layers - 1}
    return _embedder("FrozenCLIPEmbedder", "txt", params)


def _open_clip() -> dict[str, Any]:
    params = {
        "arch": "ViT-bigG-14",
        "version": "laion2b_s39b_b160k",
        "freeze": True,
        "layer": "penultimate",
        "always_return_pooled": True,
        "legacy": False,
    }
    return _embedder("FrozenOpenCLIPEmbedder2", "txt", params)


def _sizes(key: str) -> dict[str, Any]:
    return _embedder("ConcatTimestepEmbedderND", key, {"outdim": 256})


def _embedder(kind: str, key: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"is_trainable": False, "input_key": key, "target": EMBEDDERS + kind, "params": params}
