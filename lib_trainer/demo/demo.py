"""The demo, from pictures to a LoRA and a grid of its epochs; it runs the same steps that a user's own pictures run."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_trainer.core.configs import dump, load, merge, read_recipe
from lib_trainer.core.events import Event, Finished, Notice
from lib_trainer.core.places import data_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.units import duration
from lib_trainer.demo.options import DemoOptions
from lib_trainer.demo.places import HELD_OUT, MODEL, STYLE, recipe
from lib_trainer.jobs.environment import EnvironmentOptions, ensure_engine
from lib_trainer.jobs.launcher import new_run, start
from lib_trainer.jobs.work import watch
from lib_trainer.steps import STEPS


@dataclass
class Demo:
    """One demo on its way; `seconds` are of wall time for each part."""

    out: Path
    python: Path
    show: Callable[[Event], None]
    seconds: dict[str, float] = field(default_factory=dict)
    code: int = 0

    def run_step(self, step: str, told: dict[str, Any]) -> dict[str, Any]:
        """Run a step with its recipe and what is told besides, or go on with it; the result is empty on failure."""
        begun = time.monotonic()
        config = dump(load(STEPS[step].options, merge(read_recipe(recipe(step)), told)))
        run = self._unfinished(step, config) or new_run(step, config, self._free_folder(step))
        offset = run.end()
        self.code, result = watch(run, start(self.python, run), self.show, offset)
        self.seconds[step] = round(time.monotonic() - begun, 1)
        return result

    def _folders(self, step: str) -> list[Path]:
        runs = self.out / "runs"
        return sorted(runs.glob(f"{step}-*"), key=lambda path: int(path.name.rpartition("-")[2]))

    def _free_folder(self, step: str) -> Path:
        taken = [int(path.name.rpartition("-")[2]) for path in self._folders(step)]
        return self.out / "runs" / f"{step}-{max(taken, default=0) + 1}"

    def _unfinished(self, step: str, config: dict[str, Any]) -> RunDirectory | None:
        """The newest run of a step, if it was interrupted and had the same options."""
        newest = [RunDirectory(path) for path in self._folders(step) if (path / "job.json").exists()][-1:]
        for run in newest:
            events, _ = run.events_after(0)
            if run.job()[1] == config and not any(isinstance(event, Finished) for event in events):
                return run
        return None


def demo(
    options: DemoOptions, environment: EnvironmentOptions, show: Callable[[Event], None]
) -> tuple[int, dict[str, Any]]:
    """Prepare pictures, train a style LoRA on them, compare its epochs.

    Returns:
        The exit code, and the LoRA's and the grid's path, the held-out losses and the seconds that each part took.

    Raises:
        TrainerError: the engine can't be set up, or the folder can't be written to.
    """
    begun = time.monotonic()
    python = ensure_engine(environment, data_folder(), show)
    made = Demo(options.out or data_folder() / "demo", python, show)
    made.seconds["setup"] = round(time.monotonic() - begun, 1)
    result: dict[str, Any] = {}
    pictures = {"folder": str(STYLE), "output": str(made.out / "pictures")}
    prepared = made.run_step("prepare", pictures)
    if made.code:
        return made.code, {}
    loras = made.out / "models" / "Lora"
    trained = made.run_step("train", _training(Path(prepared["folder"]), loras))
    if made.code:
        return made.code, {}
    compared = made.run_step("compare", _comparison(trained["networks"], made.out / f"grid-{trained['name']}"))
    if made.code:
        return made.code, {}
    result["lora"] = trained["networks"][-1]
    result["grid"] = compared["grid"]
    result["held_out_loss"] = trained["held_out_loss"]
    result["seconds"] = made.seconds
    show(Notice(_summary(result)))
    return 0, result


def _training(pictures: Path, loras: Path) -> dict[str, Any]:
    return {
        "model": str(MODEL),
        "dataset": {"folder": str(pictures)},
        "validation": {"folder": str(HELD_OUT)},
        "saving": {"folder": str(loras)},
    }


def _comparison(networks: list[str], output: Path) -> dict[str, Any]:
    return {"model": str(MODEL), "networks": networks, "output": str(output)}


def _summary(result: dict[str, Any]) -> str:
    losses = result["held_out_loss"]
    last = list(losses["epochs"].values())[-1]
    seconds = duration(sum(result["seconds"].values()))
    return (
        f"The demo is through in {seconds}. On pictures it never saw, the loss fell from {losses['base']:.4f} "
        f"to {last:.4f} ({last / losses['base'] - 1:+.0%}).\n"
        f"The LoRA: {result['lora']}\nThe grid of its epochs: {result['grid']}"
    )
