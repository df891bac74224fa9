"""The WebUI's upscalers, as its Extras tab lists them, and one of them at work on a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.webui.turn import webui_to_itself

PLAIN = ("None", "Lanczos", "Nearest")  # its filters, which are no models
# What models raise that don't load, don't fit the card, or don't like the picture.
TROUBLES = (RuntimeError, OSError, ValueError, TypeError, AttributeError, KeyError, NotImplementedError)


def upscaler_names() -> list[str]:
    """The names of its upscalers, models first."""
    names = [str(each.name) for each in _known()]
    return [*(name for name in names if name not in PLAIN), *(name for name in names if name in PLAIN[1:])]


def enlarge(source: Path, target: Path, task: dict[str, Any], run: RunDirectory) -> None:
    """Write the picture so many times larger, as PNG; in the WebUI's queue.

    Raises:
        DeclinedError: it could not be done.
        StopRequested: the run was asked to stop while it waited for its turn.
    """
    from PIL import Image

    name, times = str(task["by"]), float(task["times"])
    found = next((each for each in _known() if each.name == name), None)
    if found is None:
        raise DeclinedError(f"the WebUI has no upscaler {name!r} any more")
    try:
        with Image.open(source) as opened:
            image = opened.convert("RGB")
        with webui_to_itself(run):
            larger = found.scaler.upscale(image, times, found.data_path)
        with target.open("wb") as file:
            larger.save(file, "PNG", compress_level=1)
    except TROUBLES as error:
        raise DeclinedError(f"{type(error).__name__}: {error}") from error
    if larger.size == image.size:
        raise DeclinedError("it did not enlarge the picture; the WebUI's own log may say why")


def _known() -> list[Any]:
    from modules import shared

    return list(getattr(shared, "sd_upscalers", []))
