"""How pictures that are smaller than their copies are enlarged: by Lanczos, or by an upscaler of the WebUI."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

from PIL import Image

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.host_desk import HostDesk
from lib_trainer.core.registry import did_you_mean
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.copies import Enlarger
from lib_trainer.images.options import PrepareOptions

ENLARGE = "enlarge"  # what is asked of the page


def enlarger(options: PrepareOptions, run: RunDirectory) -> Enlarger | None:
    """What the options ask for; None where the copy's own scaling does it.

    Raises:
        ConfigError: it is not there.
    """
    return ENLARGERS[options.enlarge](options, run)


def _by_lanczos(options: PrepareOptions, run: RunDirectory) -> None:
    del options, run


def _by_webui(options: PrepareOptions, run: RunDirectory) -> Enlarger:
    desk = HostDesk(run)
    names = desk.offered(ENLARGE)
    if not names:
        raise ConfigError(
            "'enlarge' is 'webui', but no WebUI with upscalers is there: start this in the tab of a WebUI, or take "
            "'lanczos'."
        )
    name = options.upscaler.strip() or names[0]
    if name not in names:
        hint = did_you_mean(name, names)
        raise ConfigError(f"'upscaler' is {name!r}, which this WebUI does not have.{hint} It has {', '.join(names)}.")
    return partial(_asked, desk, name)


def _asked(desk: HostDesk, name: str, image: Image.Image, times: float) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    answer = desk.ask(ENLARGE, file.getvalue(), {"by": name, "times": times})
    with Image.open(io.BytesIO(answer), formats=["PNG"]) as larger:
        return larger.convert("RGB")


ENLARGERS: dict[str, Callable[[PrepareOptions, RunDirectory], Enlarger | None]] = {
    "lanczos": _by_lanczos,
    "webui": _by_webui,
}
