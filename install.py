"""Installs nothing: says in one line how the engine stands. It is set up in the tab, when the user wants it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from pathlib import Path

ROOT = Path(__file__).absolute().parent
sys.path.insert(0, str(ROOT))

from lib_trainer.core.places import data_folder  # noqa: E402
from lib_trainer.jobs.stamp import engine_state  # noqa: E402
from preload import preload  # noqa: E402


def folder() -> Path:
    """The data folder; of the WebUI's command line this process sees only what COMMANDLINE_ARGS has."""
    parser = argparse.ArgumentParser(add_help=False)
    preload(parser)
    told, _ = parser.parse_known_args(shlex.split(os.environ.get("COMMANDLINE_ARGS", "")))
    return Path(told.trainer_dir).expanduser().absolute() if told.trainer_dir else data_folder()


def line() -> str:
    """How the engine stands."""
    home = folder()
    state = engine_state(home)
    cure = "" if state.status == "ready" else " Do that in the tab Trainer; nothing was installed now."
    return f"Trainer: {state.message}{cure} (Its folder: {home})"


if __name__ == "__main__":
    sys.stdout.write(line() + "\n")
