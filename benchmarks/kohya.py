"""kohya-ss/sd-scripts as the other side of a benchmark: its command line, and a model in the form that it reads.

Its U-Net takes its widths from constants of a module, those of the original Stable Diffusion 1. For a model of other
sizes they are set to what the model's tensors say, and the model is written as a diffusers folder.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What of kohya's or LyCORIS's trains the same layers in the same way; LyCORIS is a package in kohya's environment.
LYCORIS = "lycoris.kohya"
NETWORKS: dict[str, tuple[str, list[str]]] = {
    "lora": ("networks.lora", []),
    "loha": (LYCORIS, ["algo=loha", "preset=attn-mlp"]),
    "lokr": (LYCORIS, ["algo=lokr", "preset=attn-mlp", "factor=8"]),
    "dora": (LYCORIS, ["algo=lora", "preset=attn-mlp", "dora_wd=True", "wd_on_output=False"]),
}
SCRIPTS = {"full": "train_db.py"}  # all others are networks
STANDARD_CHANNELS = (320, 640, 1280, 1280)


@dataclass(frozen=True)
class Kohya:
    """A checkout of sd-scripts, the Python of its environment, and its folder of tokenizers (for want of a network)."""

    checkout: Path
    python: Path
    tokenizers: Path


def command(kohya: Kohya, model: Path, pictures: Path, output: Path, told: dict[str, Any]) -> list[str]:
    """The command of `train_network.py`, or of `train_db.py`; `pictures` holds folders such as `10_cat`.

    `told` has method, size (px), batch, steps, rank and precision (kohya's `no`, `fp16` or `bf16`).
    """
    flags = {
        "pretrained_model_name_or_path": model,
        "train_data_dir": pictures,
        "caption_extension": ".txt",
        "tokenizer_cache_dir": kohya.tokenizers,
        "output_dir": output,
        "output_name": "kohya",
        "save_model_as": "safetensors",
        "learning_rate": 1e-4,
        "lr_scheduler": "constant",
        "optimizer_type": "AdamW",
        "mixed_precision": told["precision"],
        "save_precision": "fp16",
        "resolution": f"{told['size']},{told['size']}",
        "train_batch_size": told["batch"],
        "max_train_steps": told["steps"],
        "max_data_loader_n_workers": 0,
        "seed": 1,
    }
    more: list[str] = []
    if told["method"] in NETWORKS:
        module, arguments = NETWORKS[told["method"]]
        flags |= {"network_module": module, "network_dim": told["rank"], "network_alpha": told["rank"]}
        more = ["--network_args", *arguments] if arguments else []
    script = str(kohya.checkout / SCRIPTS.get(told["method"], "train_network.py"))
    values = [text for name, value in flags.items() for text in (f"--{name}", str(value))]
    return [script, *values, "--cache_latents", "--sdpa", *more]


def readable_model(model: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """The model as kohya's scripts can read it, and the constants of theirs that must be set for it."""
    import torch

    from lib_trainer.models.loading import load_model
    from lib_trainer.models.sd1_layout import read_layout
    from lib_trainer.models.tensor_files import open_tensors

    sizes = read_layout(model, open_tensors(model).shapes).unet
    if sizes.channels == STANDARD_CHANNELS:
        return model, {}
    _write_folder(load_model(model, torch.float32, torch.device("cpu")), folder)
    kinds = ["CrossAttnDownBlock2D" if has else "DownBlock2D" for has in sizes.attention]
    constants = {
        "BLOCK_OUT_CHANNELS": sizes.channels,
        "TIMESTEP_INPUT_DIM": sizes.channels[0],
        "TIME_EMBED_DIM": 4 * sizes.channels[0],
        "LAYERS_PER_BLOCK": sizes.layers,
        "LAYERS_PER_BLOCK_UP": sizes.layers + 1,
        "DOWN_BLOCK_TYPES": kinds,
        "UP_BLOCK_TYPES": [kind.replace("Down", "Up") for kind in reversed(kinds)],
    }
    return folder, {"library.original_unet": constants}


def _write_folder(model: Any, folder: Path) -> None:
    from diffusers import DDIMScheduler, StableDiffusionPipeline
    from safetensors.torch import save_file
    from transformers import CLIPTokenizer

    from lib_trainer.models.clip_tokens import FILES

    text_encoder, unet = model.parts["text_encoder"].float(), model.parts["unet"]
    unet.register_to_config(sample_size=64)  # kohya's U-Net wants one, and makes no use of it
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1,
    )  # fmt: skip
    StableDiffusionPipeline(
        vae=model._loaded_vae(), text_encoder=text_encoder, tokenizer=CLIPTokenizer.from_pretrained(FILES),
        unet=unet, scheduler=scheduler, safety_checker=None, feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    # Newer transformers write other names and kinds of settings than kohya's version reads.
    named = {f"text_model.{name}": tensor.contiguous() for name, tensor in text_encoder.state_dict().items()}
    save_file(named, folder / "text_encoder" / "model.safetensors", metadata={"format": "pt"})
    settings = folder / "text_encoder" / "config.json"
    told = json.loads(settings.read_text(encoding="utf-8"))
    told.pop("dtype", None)
    settings.write_text(json.dumps({**told, "torch_dtype": "float32"}), encoding="utf-8")
