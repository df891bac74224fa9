"""A miniature in a file, a few tiny pictures of two shapes, and runs on them that share one cache."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lib_trainer.core.places import DATA_VARIABLE

if TYPE_CHECKING:
    from lib_trainer.core.run_directory import RunDirectory
    from tests.training.runs import Runs

ROOT = Path(__file__).parents[2]
# At a batch size of 2 an epoch has four batches: two and two pictures of one shape, two and one of the other.
SHAPES = [(64, 64)] * 4 + [(48, 80)] * 3
TAGS = ("cat", "red", "small", "on grass", "smiling")


def write_pictures(folder: Path, shapes: list[tuple[int, int]], seed: int) -> Path:
    """Pictures of coarse noise, unlike each other, with captions of tags."""
    import numpy
    from PIL import Image

    folder.mkdir()
    random = numpy.random.default_rng(seed)
    for number, size in enumerate(shapes):
        coarse = random.integers(0, 256, (4, 4, 3), dtype=numpy.uint8)
        Image.fromarray(coarse).resize(size).save(folder / f"{number}.png")
        text = ", ".join((*TAGS[number % 5 :], *TAGS[: number % 5]))
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def things(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, pictures, pictures kept aside, and a cache that all runs share; not to be changed."""
    pytest.importorskip("torch")
    from tests.models.miniature import miniature_checkpoint

    folder = tmp_path_factory.mktemp("training")
    miniature_checkpoint(folder / "miniature.safetensors")
    write_pictures(folder / "pictures", SHAPES, seed=0)
    write_pictures(folder / "aside", [(64, 64), (48, 80)], seed=1)
    return folder


@pytest.fixture(scope="session")
def base(things: Path) -> dict[str, Any]:
    """The options of runs that tell nothing else: one epoch of four steps, nothing saved but the last network."""
    return {
        "model": str(things / "miniature.safetensors"),
        "dataset": {"folder": str(things / "pictures"), "buckets": {"resolution": 64, "step": 8}},
        "trainable": {"type": "lora", "rank": 2, "alpha": 2},
        "epochs": 1,
        "batch_size": 2,
        "learning_rate": 1e-3,
        "text_encoder_learning_rate": 0,
        "precision": "fp32",
        "saving": {"every": "never", "state_every": "never", "precision": "fp32", "name": "net"},
    }


@pytest.fixture
def runs(tmp_path: Path, base: dict[str, Any], things: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """`runs.train({"epochs": 2})`: a run with those options."""
    from tests.training.runs import Runs

    monkeypatch.setenv(DATA_VARIABLE, str(things / "data"))
    return Runs(tmp_path / "runs", base)


@pytest.fixture(autouse=True)
def _new_accelerator():
    """`accelerate` keeps the precision of a process's first run; each test starts as a new engine does."""
    state = pytest.importorskip("accelerate.state")
    state.AcceleratorState._reset_state(True)


@pytest.fixture
def worker(things: Path) -> Iterator[Callable[[RunDirectory], subprocess.Popen[bytes]]]:
    """`worker(directory)`: the real engine process at work on a run; whatever is left of it ends with the test."""
    started = []

    def start(directory: RunDirectory) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "OMP_NUM_THREADS": "1", DATA_VARIABLE: str(things / "data")}
        command = [sys.executable, "-m", "lib_trainer.worker", str(directory.path)]
        with directory.log_file.open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
