"""CPU seconds per training step and peak memory, ours beside kohya's sd-scripts: same model, pictures, rank, thread.

    python benchmarks/train_step.py --model MODEL.safetensors --pictures FOLDER --size 256 --batch 1 --steps 8 \
        --kohya CHECKOUT --kohya-python PYTHON --kohya-tokenizers FOLDER

Started with the engine's Python (`data/engine`). Without `--kohya` only ours is measured. Both sides train a LoRA of
rank 16 on U-Net and text encoder with AdamW and clipping, latents cached, no checkpointing; kohya's with `--sdpa` and
rank 16 on U-Net and text encoder with AdamW and clipping, latents cached, no checkpointing; kohya with `--sdpa` and in
fp32, ours as `--precision` says. The rounds alternate, and each figure is the process's CPU time between two optimizer
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from lib_trainer.jobs.launcher import PROCESS_SETTINGS, new_run  # noqa: E402

CLOCK = Path(__file__).with_name("optimizer_clock.py")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
LEFT_OUT = 2  # the first steps make what later ones find
REPEATS = 10  # so that no run meets the end of an epoch


@dataclass(frozen=True)
class Figures:
    """CPU seconds of each counted step, those before the first step, and the process's peak in bytes."""

    steps: list[float]
    first: float
    peak: int

    @property
    def median(self) -> float:
        return statistics.median(self.steps)

    def __str__(self) -> str:
        low, high = min(self.steps), max(self.steps)
        told = f"{self.median:.4f} s a step ({low:.4f} to {high:.4f}), first step after {self.first:.1f} s"
        return f"{told}, peak {self.peak / 1e9:.2f} GB"


def main() -> None:
    """Measure and print."""
    asked = _parser().parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        kohya_model = _kohya_model(asked.model, work) if asked.kohya else None
        for number in range(1, asked.rounds + 1):
            ours = _measure_ours(asked, work / f"ours-{number}")
            print(f"round {number}: ours  {ours}", flush=True)
            if kohya_model is None:
                continue
            kohyas = _measure_kohya(asked, kohya_model, work / f"kohya-{number}")
            print(f"round {number}: kohya {kohyas}", flush=True)
            time, memory = ours.median / kohyas.median, ours.peak / kohyas.peak
            print(f"round {number}: ours / kohya: time {time:.2f}, peak {memory:.2f}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--pictures", type=Path, required=True)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--precision", default="fp32", choices=["auto", "fp32", "bf16"])
    parser.add_argument("--kohya", type=Path, help="checkout of kohya's sd-scripts")
    parser.add_argument("--kohya-python", type=Path, help="a Python that has what sd-scripts needs")
    parser.add_argument("--kohya-tokenizers", type=Path, help="its --tokenizer_cache_dir")
    return parser


def _measure_ours(asked: argparse.Namespace, work: Path) -> Figures:
    config = {
        "model": str(asked.model.resolve()),
        "dataset": {
            "folder": str(asked.pictures.resolve()),
            "repeats": REPEATS,
            "buckets": {"resolution": asked.size, "square": True},
            "cache": str(work / "cache"),
        },
        "trainable": {"type": "lora", "rank": 16, "alpha": 16},
        "max_steps": asked.steps,
        "batch_size": asked.batch,
        "precision": asked.precision,
        "saving": {"folder": str(work / "lora"), "name": "ours"},
    }
    run = new_run("train", config, work / "run")
    environment = {**PROCESS_SETTINGS, "PYTHONPATH": str(ROOT)}
    return _clocked([sys.executable, str(CLOCK)], ["-m", "lib_trainer.worker", str(run.path)], work, environment)


def _measure_kohya(asked: argparse.Namespace, model: Path, work: Path) -> Figures:
    pictures = work / "pictures" / f"{REPEATS}_picture"
    shutil.copytree(asked.pictures, pictures)
    arguments = {
        "pretrained_model_name_or_path": model, "train_data_dir": pictures.parent, "caption_extension": ".txt",
        "tokenizer_cache_dir": asked.kohya_tokenizers.resolve(), "output_dir": work / "lora", "output_name": "kohya",
        "save_model_as": "safetensors", "network_module": "networks.lora", "network_dim": 16, "network_alpha": 16,
        "learning_rate": "1e-4", "lr_scheduler": "constant", "optimizer_type": "AdamW", "mixed_precision": "no",
        "save_precision": "fp16", "resolution": f"{asked.size},{asked.size}", "train_batch_size": asked.batch,
        "max_train_steps": asked.steps, "max_data_loader_n_workers": 0, "seed": 1,
    }  # fmt: skip
    flags = [word for name, value in arguments.items() for word in (f"--{name}", str(value))]
    script = [str(asked.kohya / "train_network.py"), *flags, "--cache_latents", "--sdpa"]
    prelude = model.with_suffix(".py")
    environment = {"PRELUDE": str(prelude)} if prelude.exists() else {}
    return _clocked([str(asked.kohya_python), str(CLOCK)], script, work, environment)


def _clocked(clock: list[str], program: list[str], work: Path, environment: dict[str, str]) -> Figures:
    work.mkdir(parents=True, exist_ok=True)
    out, log = work / "clock.json", work / "log.txt"
    with log.open("wb") as file:
        done = subprocess.run(
            [*clock, str(out), *program], env={**os.environ, **ONE_THREAD, **environment}, stdout=file,
            stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{program[0]} ended with {done.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    found = json.loads(out.read_text(encoding="utf-8"))
    ends = found["cpu_seconds"]
    return Figures([later - sooner for sooner, later in pairwise(ends)][LEFT_OUT:], ends[0], found["peak_bytes"])


def _kohya_model(path: Path, work: Path) -> Path:
    """The model as kohya's sd-scripts can load it: a full-size file as it is, another as a diffusers folder.

    For the latter, the U-Net's widths, which are constants there, are set by a prelude beside the folder.
    """
    import torch

    from lib_trainer.models.loading import load_model

    model: Any = load_model(path, torch.float32, torch.device("cpu"))
    config = model.parts["unet"].config
    if tuple(config.block_out_channels) == (320, 640, 1280, 1280):
        return path.resolve()
    folder = work / "kohya-model"
    model.parts["unet"].register_to_config(sample_size=64)
    for part, module in {**model.parts, "vae": model._loaded_vae()}.items():
        module.save_pretrained(folder / part)
    _name_as_before_transformers_5(folder / "text_encoder" / "model.safetensors")
    _write_index(folder)
    first = config.block_out_channels[0]
    constants = {
        "BLOCK_OUT_CHANNELS": tuple(config.block_out_channels),
        "TIMESTEP_INPUT_DIM": first,
        "TIME_EMBED_DIM": 4 * first,
        "LAYERS_PER_BLOCK": config.layers_per_block,
        "LAYERS_PER_BLOCK_UP": config.layers_per_block + 1,
        "DOWN_BLOCK_TYPES": list(config.down_block_types),
        "UP_BLOCK_TYPES": list(config.up_block_types),
    }
    lines = [f"original_unet.{name} = {value!r}" for name, value in constants.items()]
    folder.with_suffix(".py").write_text("\n".join(["from library import original_unet", *lines, ""]), encoding="utf-8")
    return folder


def _name_as_before_transformers_5(file: Path) -> None:
    """Text encoders' tensors have a prefix in the versions that sd-scripts uses."""
    from safetensors.torch import load_file, save_file

    prefix = "text_model."
    tensors = {prefix + name.removeprefix(prefix): tensor for name, tensor in load_file(file).items()}
    save_file(tensors, file, {"format": "pt"})


def _write_index(folder: Path) -> None:
    """What makes a folder of parts a diffusers pipeline."""
    from diffusers import DDIMScheduler

    scheduler = DDIMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False)
    scheduler.save_pretrained(folder / "scheduler")
    tokenizer = ROOT / "lib_trainer" / "models" / "clip_tokenizer"
    shutil.copytree(tokenizer, folder / "tokenizer")
    parts = {
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
    }
    index = {"_class_name": "StableDiffusionPipeline", "requires_safety_checker": False, **parts}
    (folder / "model_index.json").write_text(json.dumps(index), encoding="utf-8")


if __name__ == "__main__":
    main()
