"""A diffusers folder of a Stable Diffusion model, seen as one file in the original layout."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.models import sd2_layout, sdxl_layout
from lib_trainer.models.model import Prediction
from lib_trainer.models.open_clip_folder import StoredAsOpenClip
from lib_trainer.models.sd1_keys import KeyMap, original_shape
from lib_trainer.models.sd1_layout import POSITIONS, TEXT, TOKENS, Layout, TextSizes, UnetSizes, VaeSizes
from lib_trainer.models.sd1_settings import UNET_HEADS, Settings, checked
from lib_trainer.models.tensor_files import TensorFile, open_tensors

CONFIGS = {
    "unet": "unet/config.json",
    "vae": "vae/config.json",
    "text_encoder": "text_encoder/config.json",
    "text_encoder_2": "text_encoder_2/config.json",
    "scheduler": "scheduler/scheduler_config.json",
}
WEIGHTS = {
    "unet": ("diffusion_pytorch_model",),
    "vae": ("diffusion_pytorch_model",),
    "text_encoder": ("model", "pytorch_model"),
    "text_encoder_2": ("model", "pytorch_model"),
}
ENDINGS = (".safetensors", ".bin", ".fp16.safetensors", ".fp16.bin")
PREDICTIONS: dict[str, Prediction] = {"epsilon": "epsilon", "v_prediction": "v"}
# The VAE's attention layers had these names in folders written before 2023.
OLD_VAE_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}


class FolderTensors:
    """The tensors of a folder's three parts under their original names and in their original shapes."""

    def __init__(self, path: Path, keys: KeyMap, parts: dict[str, TensorFile]) -> None:
        self.path = path
        self.metadata: dict[str, str] = {}
        self._places: dict[str, tuple[TensorFile, str]] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
        for part, file in parts.items():
            for name, shape in file.shapes.items():
                ours = _ours(part, name, has_two_texts="text_encoder_2" in parts)
                original = keys.original(ours) or ours
                self._places[original] = (file, name)
                self.shapes[original] = original_shape(original, shape)

    def dtype(self, name: str) -> torch.dtype:
        """The dtype in which a tensor is stored."""
        file, stored_name = self._places[name]
        return file.dtype(stored_name)

    def read(self, name: str) -> torch.Tensor:
        """One tensor on the CPU as it is stored, in its original shape.

        Raises:
            ModelError: its file was changed since it was opened, or can't be read any more.
        """
        file, stored_name = self._places[name]
        return file.read(stored_name).reshape(self.shapes[name])


def open_folder(path: Path) -> TensorFile:
    """Open a folder that diffusers' `save_pretrained` wrote.

    Raises:
        ModelError: a part or its configuration is missing, cut off, or can't be read.
    """
    parts = [part for part in WEIGHTS if part != "text_encoder_2" or (path / part).is_dir()]
    has_two_texts = "text_encoder_2" in parts
    keys = KeyMap(_layout(path), sdxl_layout.TEXT_NAMES if has_two_texts else f"{TEXT}text_model.")
    tensors = FolderTensors(path, keys, {part: open_tensors(weights_file(path / part, part)) for part in parts})
    if has_two_texts:
        return StoredAsOpenClip(tensors, sdxl_layout.PREFIXES, repeats_last_layer=False)
    if _config(path, "unet").get("use_linear_projection"):
        return StoredAsOpenClip(tensors, sd2_layout.PREFIXES, repeats_last_layer=True)
    return tensors


def read_folder_settings(path: Path, layout: Layout) -> Settings:
    """Head counts, noise schedule, prediction and the VAE's factor from a folder's configurations.

    Raises:
        ModelError: a configuration can't be read, or asks for something the family does not have.
    """
    scheduler = _config(path, "scheduler")
    schedule = scheduler.get("beta_schedule")
    prediction = PREDICTIONS.get(scheduler.get("prediction_type", "epsilon"))
    if schedule != "scaled_linear" or scheduler.get("trained_betas") is not None or prediction is None:
        raise ModelError(
            f"{path / CONFIGS['scheduler']} asks for the schedule {schedule!r} and the prediction "
            f"{scheduler.get('prediction_type')!r}; supported are 'scaled_linear' with 'epsilon' or 'v_prediction'."
        )
    try:
        settings = _settings(path, scheduler, prediction, levels=len(layout.unet.channels))
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"A configuration in {path} gives no usable {error}. Download or copy the folder again."
        ) from error
    return checked(path, layout, settings)


def _settings(path: Path, scheduler: dict[str, Any], prediction: Prediction, levels: int) -> Settings:
    unet, text, vae = (_config(path, part) for part in ("unet", "text_encoder", "vae"))
    # The second name is a misnomer for the first that diffusers keeps for the sake of old files.
    heads = unet.get("num_attention_heads") or unet.get("attention_head_dim", UNET_HEADS)
    second = _config(path, "text_encoder_2") if (path / "text_encoder_2").is_dir() else {}
    return Settings(
        unet_heads=tuple(heads) if isinstance(heads, list) else (int(heads),) * levels,
        text_heads=int(text["num_attention_heads"]),
        text_activation=str(text.get("hidden_act", Settings.text_activation)),
        prediction=prediction,
        first_beta=float(scheduler["beta_start"]),
        last_beta=float(scheduler["beta_end"]),
        timesteps=int(scheduler.get("num_train_timesteps", Settings.timesteps)),
        latent_factor=float(vae.get("scaling_factor", Settings.latent_factor)),
        second_text_heads=int(second["num_attention_heads"]) if second else 0,
        second_text_activation=str(second.get("hidden_act", Settings.second_text_activation)),
        zero_terminal_snr=bool(scheduler.get("rescale_betas_zero_snr", False)),
    )


def _ours(part: str, name: str, has_two_texts: bool) -> str:
    """Our name of a tensor."""
    now = today(part, name)
    if not has_two_texts or part not in ("text_encoder", "text_encoder_2"):
        return f"{part}.{now}"
    if now.startswith("text_projection."):
        return f"text_encoder.{now}"
    return f"text_encoder.{'first' if part == 'text_encoder' else 'second'}.{now}"


def today(part: str, name: str) -> str:
    """A tensor's name as the part's module has it today."""
    if part.startswith("text_encoder"):
        return name.removeprefix("text_model.")
    if part == "vae" and (match := re.fullmatch(r"(.*\.attentions\.0)\.(query|key|value|proj_attn)\.(\w+)", name)):
        return f"{match[1]}.{OLD_VAE_NAMES[match[2]]}.{match[3]}"
    return name


def _layout(path: Path) -> Layout:
    """The sizes as far as names depend on them; the rest is read from the tensors."""
    unet, vae = _config(path, "unet"), _config(path, "vae")
    try:
        channels = tuple(unet["block_out_channels"])
        attention = tuple("CrossAttn" in kind for kind in unet["down_block_types"])
        added = int(unet.get("projection_class_embeddings_input_dim") or 0)
        unet_sizes = UnetSizes(channels, attention, int(unet["layers_per_block"]), 0, 0, added_width=added)
        vae_sizes = VaeSizes(tuple(vae["block_out_channels"]), int(vae["layers_per_block"]), 0)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"{path} is of no supported kind: the configuration of its U-Net or VAE does not give {error}. "
            "Use a folder of a Stable Diffusion model."
        ) from error
    return Layout(unet_sizes, vae_sizes, TextSizes(0, 0, 0, TOKENS, POSITIONS))


def _config(path: Path, part: str) -> dict[str, Any]:
    file = path / CONFIGS[part]
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelError(
            f"{path} is no diffusers folder of a Stable Diffusion model: it has no {CONFIGS[part]}. "
            "Choose a folder with unet, vae, text_encoder and scheduler in it, or a checkpoint file."
        ) from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} can't be read ({error}). Download or copy it again.") from error
    if not isinstance(data, dict):
        raise ModelError(f"{file} is no table of settings. Download or copy it again.")
    return data


def weights_file(folder: Path, part: str) -> Path:
    """The file of a part's weights in the part's folder.

    Raises:
        ModelError: there is none.
    """
    names = [f"{stem}{ending}" for ending in ENDINGS for stem in WEIGHTS[part]]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise ModelError(f"{folder} has no weights; {names[0]} or {names[1]} must be there, in one piece.")
