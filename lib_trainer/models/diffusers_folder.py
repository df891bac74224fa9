"""What a diffusers folder of a model holds, laid out as by diffusers' own `save_pretrained`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lib_trainer.models.clip_tokens import FILES, Padding
from lib_trainer.models.sd1_settings import Settings
from lib_trainer.models.tensor_tables import PartTensors

MODEL_FILE, TEXT_FILE = "diffusion_pytorch_model.safetensors", "model.safetensors"
VOCABULARY, TOKENIZER_SETTINGS = ("vocab.json", "merges.txt"), ("tokenizer_config.json", "special_tokens_map.json")
PAD_TOKENS: dict[Padding, str] = {"end": "<|endoftext|>", "zero": "!"}
SECOND = "text_encoder_2"
PREDICTIONS = {"epsilon": "epsilon", "v": "v_prediction"}
UNUSED = [None, None]  # diffusers' way to say that a pipeline goes without a part


class Configured(Protocol):
    """A module of diffusers or transformers with its settings."""

    config: Any


@dataclass
class DiffusersFolder:
    """All by the path inside the folder."""

    weights: dict[str, PartTensors] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    copies: dict[str, Path] = field(default_factory=dict)

    def say(self, path: str, told: Mapping[str, Any]) -> None:
        """Add a file of settings."""
        self.texts[path] = json.dumps(told, indent=2, sort_keys=True) + "\n"

    def add_model(self, part: str, module: Configured, tensors: PartTensors, told: Mapping[str, Any]) -> None:
        """Add the U-Net or the VAE; `told` are settings that the module does not have."""
        self.weights[f"{part}/{MODEL_FILE}"] = tensors
        config = {name: value for name, value in dict(module.config).items() if not name.startswith("_")}
        self.say(f"{part}/config.json", {"_class_name": type(module).__name__, **config, **told})

    def add_text_encoder(self, part: str, module: Configured, tensors: PartTensors, projection: int = 0) -> None:
        """Add a text encoder; with a projection of that width it is diffusers' second one of SDXL."""
        kind = "CLIPTextModelWithProjection" if projection else "CLIPTextModel"
        told = {"architectures": [kind], **({"projection_dim": projection} if projection else {})}
        self.weights[f"{part}/{TEXT_FILE}"] = tensors
        self.say(f"{part}/config.json", {**module.config.to_dict(), "dtype": "float32", **told})

    def add_tokenizer(self, folder: str, padding: Padding) -> None:
        """Add CLIP's vocabulary; diffusers pads with a token by name, the zeros of OpenCLIP being that of `!`."""
        self.copies |= {f"{folder}/{name}": FILES / name for name in VOCABULARY}
        for name in TOKENIZER_SETTINGS:
            told = json.loads((FILES / name).read_text(encoding="utf-8"))
            self.say(f"{folder}/{name}", {**told, "pad_token": PAD_TOKENS[padding]})

    def add_schedule(self, settings: Settings, prediction: str) -> None:
        """Add the noise schedule."""
        told = {
            "_class_name": "DDIMScheduler",
            "beta_start": settings.first_beta,
            "beta_end": settings.last_beta,
            "beta_schedule": "scaled_linear",
            "num_train_timesteps": settings.timesteps,
            "prediction_type": PREDICTIONS[prediction],
            "rescale_betas_zero_snr": settings.zero_terminal_snr,
            "clip_sample": False,
            "set_alpha_to_one": False,
            "steps_offset": 1,
        }
        self.say("scheduler/scheduler_config.json", told)

    def add_index(self, is_inpainting: bool) -> None:
        """Add the list of the parts, which comes last."""
        has_two_texts = f"{SECOND}/config.json" in self.texts
        kind = "StableDiffusionXL" if has_two_texts else "StableDiffusion"
        parts: dict[str, Any] = {
            "unet": ["diffusers", "UNet2DConditionModel"],
            "vae": ["diffusers", "AutoencoderKL"],
            "scheduler": ["diffusers", "DDIMScheduler"],
            "text_encoder": ["transformers", "CLIPTextModel"],
            "tokenizer": ["transformers", "CLIPTokenizer"],
            "feature_extractor": UNUSED,
        }
        if has_two_texts:
            parts |= {
                SECOND: ["transformers", "CLIPTextModelWithProjection"],
                "tokenizer_2": ["transformers", "CLIPTokenizer"],
                "image_encoder": UNUSED,
                "force_zeros_for_empty_prompt": True,
            }
        else:
            parts |= {"safety_checker": UNUSED, "image_encoder": UNUSED, "requires_safety_checker": False}
        self.say("model_index.json", {"_class_name": f"{kind}{'Inpaint' * is_inpainting}Pipeline", **parts})


def text_names(ours: Iterable[str], encoder: str = "") -> dict[str, str]:
    """Names in a text encoder's own file by our names, of the encoder ("first.", "second.") or of the only one."""
    inside = {name: name.removeprefix(encoder) for name in ours if name.startswith(encoder)}
    return {name: f"text_model.{rest}" for name, rest in inside.items()}
