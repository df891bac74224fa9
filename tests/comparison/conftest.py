"""The shipped model, small networks on it that change its pictures, and comparisons of few small pictures."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.run_directory import RunDirectory

MODEL = Path(__file__).parents[2] / "lib_trainer" / "demo" / "model" / "emoji-tiny.safetensors"
APPLE, FOX = "a noto emoji of a red apple", "a fluent emoji of a fox"


@cache
def network_bytes(seed: int, metadata: tuple[tuple[str, str], ...]) -> bytes:
    """A LoRA of rank 2 on the U-Net, its B filled with noise, as a file."""
    import tempfile

    import torch

    from lib_trainer.models.loading import load_model
    from lib_trainer.trainables import TRAINABLES
    from lib_trainer.weights.networks import write_network

    model = load_model(MODEL, torch.float32, torch.device("cpu"))
    network = TRAINABLES["lora"](rank=2, alpha=2.0).attach(model, ["unet"], seed)
    generator = torch.Generator().manual_seed(seed)
    for up in network.parameters("unet")[1::2]:
        up.data.copy_(torch.randn(up.shape, generator=generator) * 0.1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.safetensors"
        write_network(path, network.tensors(), torch.float32, {**network.metadata(), **dict(metadata)})
        return path.read_bytes()


@pytest.fixture
def make_network(tmp_path) -> Callable[..., Path]:
    """`make_network("folder/name", seed=1, ss_epoch="3")`: a network file; equal seeds give equal weights."""

    def make(name: str, seed: int = 1, **metadata: str) -> Path:
        path = tmp_path / "networks" / f"{name}.safetensors"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(network_bytes(seed, tuple(metadata.items())))
        return path

    return make


@pytest.fixture
def options(tmp_path, make_network) -> Callable[..., CompareOptions]:
    """`options(seeds=(1, 2))`: a comparison of one network, 64x64 px, 2 steps, with these changes."""

    def made(**changes: Any) -> CompareOptions:
        given = {
            "model": MODEL,
            "output": tmp_path / "compared",
            "prompts": (APPLE,),
            "steps": (2,),
            "width": 64,
            "height": 64,
            "precision": "fp32",
            **changes,
        }
        if "networks" not in given:
            given["networks"] = (make_network("style-e001"),)
        return CompareOptions(**given)

    return made


@pytest.fixture
def compare(run) -> Callable[[CompareOptions], dict[str, Any]]:
    """The step, on the CPU, in the test's run."""
    from lib_trainer.comparison.compare import compare

    return lambda options: compare(options, run)


@pytest.fixture
def pixels() -> Callable[[dict[str, Any]], list[bytes]]:
    """`pixels(result)`: the cells' pixels, row by row."""
    from PIL import Image

    return lambda result: [Image.open(path).convert("RGB").tobytes() for path in result["cells"]]


@pytest.fixture
def messages(run) -> Callable[[], list[str]]:
    """`messages()`: what the run has said so far."""
    return lambda: [event.message for event in _events(run) if hasattr(event, "message")]


@pytest.fixture
def events(run) -> Callable[..., list[Any]]:
    """`events(Progress)`: the run's events of that kind so far."""
    return lambda kind: [event for event in _events(run) if isinstance(event, kind)]


def _events(run: RunDirectory) -> list[Any]:
    return list(run.events_after(0)[0])
