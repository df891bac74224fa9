"""Starts the page on its own in its own small environment, and ends it with Ctrl-C or with us."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import IO

from lib_trainer.core.configs import dump
from lib_trainer.core.errors import EngineError
from lib_trainer.core.events import Notice
from lib_trainer.core.places import DATA_VARIABLE, EXTENSION_ROOT
from lib_trainer.jobs.child_processes import clean_environment
from lib_trainer.jobs.installer import OnEvent
from lib_trainer.jobs.page_environment import PageEnvironmentOptions, ensure_page
from lib_trainer.ui.options import PageOptions, logins

SECONDS_TO_END = 15.0
# Gradio asks its makers' servers for its newest version, and reports its use, unless told otherwise.
NO_CALLS_OUT = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}


def open_page(options: PageOptions, environment: PageEnvironmentOptions, home: Path, on_event: OnEvent) -> int:
    """Serve the page until it ends or Ctrl-C is pressed; returns its exit code, or the signal that killed it.

    Raises:
        ConfigError: an option can't be used.
        EngineError: the page's environment can't be made, or its Python can't be started.
        KeyboardInterrupt: Ctrl-C was pressed; the page has ended then.
    """
    people = logins(options)
    python = ensure_page(environment, home, on_event)
    if options.listen and not people:
        said = "Everybody in your network can use the page now; give --auth user:password to ask who it is."
        on_event(Notice(said, level="warning"))
    process = start_page(python, options, home)
    try:
        return abs(process.wait())
    finally:
        _end(process)


def start_page(python: Path, options: PageOptions, home: Path) -> subprocess.Popen[str]:
    """Start the page's process; it ends when its standard input is closed, so also when we are killed.

    The options go through that input, because everybody on the computer can read a command line.

    Raises:
        EngineError: this Python can't be started.
    """
    environment = {
        **clean_environment(),
        **NO_CALLS_OUT,
        "PYTHONPATH": str(EXTENSION_ROOT),
        "PYTHONUTF8": "1",
        DATA_VARIABLE: str(home.absolute()),
    }
    try:
        process = subprocess.Popen(
            [str(python), "-m", "lib_trainer.ui.page"],
            stdin=subprocess.PIPE,
            encoding="utf-8",
            env=environment,
            start_new_session=os.name != "nt",  # Ctrl-C reaches us alone, and we end it once
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    except OSError as error:
        raise EngineError(f"{python} can't be started ({error}). Remove {home / 'page'} and start again.") from error
    _tell(process.stdin, json.dumps(dump(options)))
    return process


def _tell(stream: IO[str] | None, line: str) -> None:
    assert stream is not None
    stream.write(line + "\n")
    stream.flush()


def _end(process: subprocess.Popen[str]) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
