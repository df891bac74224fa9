"""What all tests share: data of their own, and an engine whose step a test writes itself."""

from __future__ import annotations

import signal
import sys
import textwrap
from pathlib import Path

import pytest

from lib_trainer.core.places import DATA_VARIABLE
from lib_trainer.core.run_directory import RunDirectory

ROOT = Path(__file__).parents[1]
ENGINE = """
import dataclasses, sys
sys.path.append({folder!r})
from lib_trainer import steps, worker
steps.STEPS["prepare"] = dataclasses.replace(steps.STEPS["prepare"], run="step_of_a_test:step")
sys.exit(worker.main(sys.argv[-1]))
"""
STEP = """
import os, sys, time
from lib_trainer.core.errors import DataError
from lib_trainer.core.events import Notice, Progress
def step(options, run):
"""


def pytest_configure():
    """In a shell's background Ctrl-C is ignored, by us and by each process that a test starts: tests need it."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _own_data(tmp_path, monkeypatch):
    """No test writes into the trainer's own data."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))


@pytest.fixture
def engine(tmp_path):
    """`engine(lines)`: an engine's Python that runs the real worker, with these lines as the step `prepare`."""
    if sys.platform == "win32":
        pytest.skip("the stand-in for the engine's Python is a shell script")
    folder = tmp_path / "engine"

    def made(lines):
        folder.mkdir(exist_ok=True)
        step = STEP + textwrap.indent(textwrap.dedent(lines), "    ")
        (folder / "step_of_a_test.py").write_text(step, encoding="utf-8")
        (folder / "engine.py").write_text(ENGINE.format(folder=str(folder)), encoding="utf-8")
        python = folder / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/engine.py" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        return python

    return made


@pytest.fixture
def run(tmp_path):
    """A new run of the step `prepare`."""
    directory = RunDirectory(tmp_path / "run")
    directory.create("prepare", {"folder": str(tmp_path / "pictures"), "width": 24})
    return directory
