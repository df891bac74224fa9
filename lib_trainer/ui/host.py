"""What surrounds the page: a WebUI, or nothing but our own page, whose answers are the defaults here."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_trainer.core.configs import load
from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.core.outputs import OUTPUTS, Output
from lib_trainer.core.places import data_folder, output_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.demo.places import MODEL
from lib_trainer.steps import step_named


@dataclass(frozen=True)
class Checkpoint:
    """A base model that the user may choose; `title` is how the host lists it."""

    title: str
    path: Path


@dataclass(frozen=True)
class Visibility:
    """Whether the host lists a network of ours, and if not, why: a sentence for the user."""

    shown: bool
    why: str = ""


class Host:
    """The stand-alone page. A WebUI's host overrides what it does better; nothing here needs more than Python."""

    name = "page"
    version = ""
    listens = False  # others than this computer may reach the port
    any_folder = True  # the user may choose folders outside `roots`
    python: Path | None = None  # the engine's Python, where the user named one at the start

    def checkpoints(self) -> list[Checkpoint]:
        """Base models in `models/Stable-diffusion`, among them those that were trained here."""
        folder = output_folder("checkpoint")
        endings = (".safetensors", ".ckpt")
        files = sorted(file for file in folder.rglob("*") if file.suffix in endings) if folder.is_dir() else []
        return [Checkpoint(str(file.relative_to(folder)), file) for file in files]

    def loaded_checkpoint(self) -> str | None:
        """Title of the checkpoint that the host has loaded now."""
        return None

    def samplers(self) -> list[str]:
        """Names of the samplers that a comparison may use here; empty means the engine's."""
        return []

    def folders(self) -> dict[Output, Path]:
        """Where finished files go."""
        return {output: output_folder(output) for output in OUTPUTS}

    def roots(self) -> list[Path]:
        """Folders within which everybody who reaches the page may choose: the host's data."""
        return [data_folder()]

    def holding_the_card(self, run: RunDirectory) -> AbstractContextManager[object]:
        """Free the host's graphics memory for a run, and keep others off the card as long as the block lasts.

        Entered in the thread that starts the run, left when the run has ended; may wait for a generation to end.
        """
        del run
        return nullcontext()

    @property
    def holds(self) -> bool:
        """Whether the host's own drawing waits for a run now."""
        return False

    def upscalers(self) -> list[str]:
        """The names of the host's upscalers, the best for most pictures first."""
        return []

    def enlarge(self, source: Path, target: Path, task: dict[str, Any], run: RunDirectory) -> None:
        """Write the picture `source` so many `times` larger to `target`, `by` that upscaler, on behalf of a run.

        Raises:
            DeclinedError: it can't be done.
            StopRequested: the run was asked to stop meanwhile.
        """
        raise DeclinedError(f"there is no WebUI that could enlarge {source} to {target} for {run.path}: {task}")

    def interrogators(self) -> list[str]:
        """What the host's own interrogators can be asked for: "describe", "tag"."""
        return []

    def interrogate(self, source: Path, target: Path, task: dict[str, Any], run: RunDirectory) -> None:
        """Write a sentence about the picture `source` to `target`, or its tags, one a line: `what` the task says.

        Raises:
            DeclinedError: it can't be done.
            StopRequested: the run was asked to stop meanwhile.
        """
        raise DeclinedError(f"there is no WebUI that could look at {source} for {run.path} and write {target}: {task}")

    def draw_comparison(self, options: Any, run: RunDirectory) -> dict[str, Any] | None:
        """Draw a comparison with the host's own pipeline, as a step does; None where the engine has to do it.

        `options` are CompareOptions. Progress, cells and notices go to `run`; a stop request is obeyed.

        Raises:
            TrainerError: anything the user can mend.
        """
        del options, run
        return None

    def draws(self, options: Any) -> bool:
        """Whether `draw_comparison` is the host's for these CompareOptions."""
        del options
        return False

    def lend_demo(self) -> Path:
        """The demo's checkpoint where the host can draw with it."""
        return MODEL

    def notes(self) -> list[str]:
        """What the user should know as long as it is so, a sentence each."""
        return []

    def api_credentials(self) -> dict[str, str]:
        """User -> password of the host's own script API, with which scripts may use ours too."""
        return {}

    def refresh(self, file: Path, output: Output) -> Visibility:
        """Let the host list a file of that kind that was just written, and say whether it does."""
        where = "/".join(OUTPUTS[output].folder)
        return Visibility(False, f"Copy {file.name} from {file.parent} to the {where} folder of your WebUI to use it.")


def host_draws(host: Host, step: str, config: dict[str, Any]) -> bool:
    """Whether the host does this step itself.

    Raises:
        ConfigError: the configuration can't be read.
    """
    return step == "compare" and host.draws(load(step_named(step).options, config))
