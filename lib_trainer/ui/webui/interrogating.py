"""The WebUI's interrogators (its buttons Interrogate CLIP and Interrogate DeepBooru) at work on a picture of a run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners.webui import DESCRIBE, TAG
from lib_trainer.ui.webui.loaded_model import is_forge
from lib_trainer.ui.webui.turn import webui_to_itself

if TYPE_CHECKING:
    from PIL import Image

# What its models raise that don't load, don't fit the card, or lack a package.
TROUBLES = (
    RuntimeError, OSError, ValueError, TypeError, AttributeError, KeyError, NotImplementedError, ImportError,
    AssertionError, EOFError, UnpicklingError,
)  # fmt: skip
ESCAPED = re.compile(r"\\([\\()])")
ERROR = "<error>"  # which `interrogate` says instead of raising


def interrogators() -> list[str]:
    """What this WebUI can be asked for."""
    from modules import shared

    can_describe = getattr(shared, "interrogator", None) is not None
    return [DESCRIBE] * can_describe + [TAG] * (_deepbooru() is not None)


def interrogate(source: Path, target: Path, task: dict[str, Any], run: RunDirectory) -> None:
    """Write what the WebUI says about the picture: a sentence, or a tag a line; in the WebUI's queue.

    Raises:
        DeclinedError: it could not be done.
        StopRequested: the run was asked to stop while it waited for its turn.
    """
    from PIL import Image

    try:
        with Image.open(source) as opened:
            image = opened.convert("RGB")
        with webui_to_itself(run):
            said = ASKED[str(task["what"])](image, task)
        target.write_text(said, encoding="utf-8")
    except IndexError as error:  # of its list of files, as it says nothing of a download that failed
        raise DeclinedError("the WebUI's model is not there and could not be downloaded") from error
    except TROUBLES as error:
        raise DeclinedError(f"{type(error).__name__}: {error}") from error


def _described(image: Image.Image, task: dict[str, Any]) -> str:
    from modules import shared

    interrogator = shared.interrogator
    if not task.get("styles"):
        return _sentence(interrogator, image)
    said = str(interrogator.interrogate(image))
    if said.endswith(ERROR):
        raise DeclinedError("the WebUI's interrogator failed; the WebUI's console says why")
    return said


def _sentence(interrogator: Any, image: Image.Image) -> str:
    """What `interrogate` says first, without the search through the lists of artists and styles."""
    if not is_forge():
        from modules import devices, lowvram

        lowvram.send_everything_to_cpu()
        devices.torch_gc()
    try:
        interrogator.load()
        return str(interrogator.generate_caption(image))
    finally:
        interrogator.unload()


def _tagged(image: Image.Image, task: dict[str, Any]) -> str:
    del task
    from modules import shared

    model = _deepbooru()
    model.start()
    try:
        said = str(model.tag_multi(image, force_disable_ranks=True))
    finally:
        model.stop()
    tags = [tag for tag in said.split(", ") if tag]
    if shared.opts.deepbooru_escape:
        tags = [ESCAPED.sub(r"\1", tag) for tag in tags]
    return "\n".join(tag.replace(" ", "_") for tag in tags)  # as they are in its list; our options spell them


def _deepbooru() -> Any:
    try:
        from modules import deepbooru
    except ImportError:
        return None
    return deepbooru.model


ASKED: dict[str, Callable[[Image.Image, dict[str, Any]], str]] = {DESCRIBE: _described, TAG: _tagged}
