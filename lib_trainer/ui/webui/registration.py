"""What the WebUI calls: our tab, routes, settings and axes, registered anew whenever it loads its scripts."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.places import DATA_VARIABLE

if TYPE_CHECKING:
    from lib_trainer.ui.server import Server
    from lib_trainer.ui.webui.trained import Trained

TAB_ID = "trainer"


def register() -> None:
    """Register the callbacks; everything else happens when they are called."""
    from modules import script_callbacks

    _use_data_folder()
    script_callbacks.on_ui_tabs(_tabs)
    script_callbacks.on_ui_settings(_settings)
    script_callbacks.on_before_ui(_axes)
    script_callbacks.on_app_started(_app_started)
    script_callbacks.on_script_unloaded(_unloaded)


def _use_data_folder() -> None:
    """What --trainer-dir says holds for all of us, and for the engines that we start."""
    from modules import shared

    told = getattr(shared.cmd_opts, "trainer_dir", None)
    if told:
        os.environ[DATA_VARIABLE] = str(Path(told).expanduser().absolute())


@cache
def _server() -> Server:
    """One for the whole process: `Reload UI` loads our scripts anew, but the runs in hand go on in their threads."""
    from lib_trainer.ui.server import Server
    from lib_trainer.ui.webui.host import WebUIHost

    return Server(WebUIHost())


def _tabs() -> list[tuple[Any, str, str]]:
    from lib_trainer.ui.tab import TITLE, tab

    return [(tab(), TITLE, TAB_ID)]


def _settings() -> None:
    from lib_trainer.ui.webui.settings import add_settings

    add_settings()


def _axes() -> None:
    from lib_trainer.ui.webui.axes import add_axes

    add_axes(_trained)


def _trained() -> Trained:
    from lib_trainer.ui.webui.trained import trained_in

    return trained_in(_server())


def _app_started(demo: Any, app: Any) -> None:
    """The page's routes on the new app; also under --nowebui, where there is no page."""
    del demo
    from lib_trainer.ui.mount import mount

    mount(app, _server())
    _server().begin()


def _unloaded() -> None:
    _server().end()
