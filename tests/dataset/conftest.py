"""A model with a real but tiny autoencoder and text encoder, a context that records, and folders of real pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lib_trainer.core.events import Event
from lib_trainer.dataset.context import DatasetContext

if TYPE_CHECKING:
    import torch


class TinyModel:
    """What a dataset uses of a model; counts how many pictures and captions it was given."""

    family, prediction = "sd1", "epsilon"
    path = Path("tiny.safetensors")
    latent_channels, pixels_per_latent, is_inpainting = 4, 8, False

    def __init__(self, seed: int = 0) -> None:
        import torch
        from diffusers import AutoencoderKL

        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.vae = AutoencoderKL(
                down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                block_out_channels=(8, 8, 8, 8), norm_num_groups=4, layers_per_block=1,
            ).eval()
            text_encoder = torch.nn.Embedding(1000, 6)
            self.parts: dict[str, torch.nn.Module] = {"unet": torch.nn.Linear(1, 1), "text_encoder": text_encoder}
        self.vae_digest, self.text_digest = f"vae {seed}", f"text {seed}"
        self.device, self.vae_dtype = torch.device("cpu"), torch.float32
        self.batches: list[tuple[int, int, int]] = []  # pictures, height, width
        self.encoded_captions: list[list[str]] = []

    @property
    def dtype(self) -> torch.dtype:
        return next(self.parts["unet"].parameters()).dtype

    @property
    def encoded_pictures(self) -> int:
        return sum(count for count, _, _ in self.batches)

    def encode_pictures(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.batches.append((pixels.shape[0], *pixels.shape[2:]))
        found = self.vae.encode(pixels).latent_dist
        return found.mean * 0.18215, found.std * 0.18215

    def tokenize(self, captions: list[str]) -> torch.Tensor:
        import torch

        self.encoded_captions.append(list(captions))
        return torch.tensor([[ord(letter) % 1000 for letter in f"{caption:77.77}"] for caption in captions])

    def encode_text(self, ids: torch.Tensor, clip_skip: int) -> torch.Tensor:
        return self.parts["text_encoder"](ids) * clip_skip


class Recording:
    """A context's far end: the events in order, and a stop that comes after so many looks."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.looks_before_stop: float = float("inf")

    def emit(self, event: Event) -> None:
        self.events.append(event)

    def should_stop(self) -> bool:
        self.looks_before_stop -= 1
        return self.looks_before_stop < 0

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def messages(self) -> str:
        return "\n".join(event.message for event in self.events if hasattr(event, "message"))


@pytest.fixture
def model() -> TinyModel:
    return TinyModel()


@pytest.fixture
def other_model() -> TinyModel:
    return TinyModel(seed=1)


@pytest.fixture
def recording() -> Recording:
    return Recording()


@pytest.fixture
def context(tmp_path: Path, recording: Recording) -> DatasetContext:
    return DatasetContext(
        cache=tmp_path / "cache", seed=3, batch_size=2, emit=recording.emit, should_stop=recording.should_stop
    )


@pytest.fixture
def make_picture(tmp_path: Path) -> Callable[..., Path]:
    """Write a picture of noise, unlike any other, with its caption; returns its path."""

    def make(name: str, size: tuple[int, int] = (64, 64), caption: str = "", mode: str = "RGB", seed: int = 0) -> Path:
        import numpy
        from PIL import Image

        path = tmp_path / "pictures" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        random = numpy.random.default_rng([seed, *name.encode()])
        shape = (size[1], size[0], len(mode)) if len(mode) > 1 else (size[1], size[0])
        coarse = random.integers(0, 256, shape, dtype=numpy.uint8)
        Image.fromarray(coarse, mode).save(path)
        if caption:
            path.with_suffix(".txt").write_text(caption, encoding="utf-8")
        return path

    return make
