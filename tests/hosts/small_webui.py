"""Starts a small WebUI in a version of Gradio, with one run to ask for and things outside that nobody may get."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from lib_trainer.core.events import Finished, Saved, Started
from lib_trainer.core.places import DATA_VARIABLE, EXTENSION_ROOT
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.jobs.child_processes import clean_environment
from tests.environments import WITHOUT_PYTHON, host_python, page_python
from tests.visitor import Visitor

SECRET = "what nobody may read"
PICTURE = b"\x89PNG\r\n\x1a\n"  # as far as a server looks at it
LOGIN = ("anna", "a password")


@dataclass
class WebUI:
    """A running one; `outside` holds what may not be reached, `run` is the one run in the project `first`."""

    name: str
    gradio: str
    visitor: Visitor
    home: Path
    outside: Path
    run: RunDirectory


def python_of(name):
    if name == "page":
        return page_python() or pytest.skip("the page's environment is not made yet; `python3 tests` makes it")
    return host_python(name) or pytest.skip(f"{WITHOUT_PYTHON}; or it was not made yet, which `python3 tests` does")


def furnished(folder):
    """(home, outside, run): a data folder with one run, and a folder of secrets beside it."""
    home, outside = folder / "data", folder / "outside"
    run = RunDirectory(home / "projects" / "first" / "runs" / "train-1")
    run.create("train", {"model": "nowhere.safetensors"})
    run.samples.mkdir()
    (run.samples / "one.png").write_bytes(PICTURE)
    for event in (Started("train", 1), Saved(str(run.samples / "one.png"), "picture", 1, 1), Finished({})):
        run.append(event)
    outside.mkdir()
    for name in ("secret.txt", "secret.mjs"):
        (outside / name).write_text(SECRET, encoding="utf-8")
    (outside / "secret.png").write_bytes(PICTURE + SECRET.encode())
    for name in ("form.json", "train-secret.json", "job.json"):
        (outside / name).write_text(json.dumps({"step": "train", "config": {"secret": SECRET}}), encoding="utf-8")
    (run.path / "link.png").symlink_to(outside / "secret.png")
    return home, outside, run


def started(name, folder, *logins):
    """(process, WebUI) of one that answers."""
    home, outside, run = furnished(folder)
    environment = {**clean_environment(), "PYTHONPATH": str(EXTENSION_ROOT), DATA_VARIABLE: str(home),
                   "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}  # fmt: skip
    process = subprocess.Popen(
        [str(python_of(name)), str(Path(__file__).with_name("webui.py")), *logins],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder,
    )  # fmt: skip
    said = next((line for line in process.stdout if line.startswith("{")), "")  # Gradio 3 prints lines of its own
    assert said, f"the WebUI ended with {process.wait()}"
    told = json.loads(said)
    visitor = Visitor(told["address"].rstrip("/"))
    visitor.wait_until_it_answers(process)
    return process, WebUI(name, told["gradio"], visitor, home, outside, run)


def end(process):
    process.stdin.close()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
