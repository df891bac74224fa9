"""A page at its server, and an engine that runs the real worker with a step of the test's own."""

from __future__ import annotations

import json
import sys
import textwrap
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lib_trainer.core.outputs import Output
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.host import Host, Visibility
from lib_trainer.ui.server import Server
from lib_trainer.ui.web import Request

API = "/trainer/api"
ENGINE = """
import dataclasses, sys
sys.path.append({folder!r})
from lib_trainer import steps, worker
for name, step in steps.STEPS.items():
    steps.STEPS[name] = dataclasses.replace(step, run="work_of_a_test:work")
sys.exit(worker.main(sys.argv[-1]))
"""
WORK = """
import os, sys, time
from pathlib import Path
from lib_trainer.core.errors import DataError
from lib_trainer.core.events import HeldOut, Loss, Notice, Progress, Saved
def until(path):
    while not Path(path).exists():
        time.sleep(0.01)
def work(options, run):
"""


class TestHost(Host):
    """The stand-alone page, which notes what is done with its card."""

    __test__ = False

    def __init__(self, python: Path | None = None) -> None:
        self.python = python
        self.card: list[str] = []
        self.listed: list[str] = []
        self.drawing: Any = None

    @contextmanager
    def holding_the_card(self, run: RunDirectory) -> Any:
        self.card.append(f"held for {run.path.name}")
        try:
            yield
        finally:
            self.card.append(f"free after {run.path.name}")

    def refresh(self, file: Path, output: Output) -> Visibility:
        self.listed.append(file.name)
        return super().refresh(file, output)

    def draws(self, options: Any) -> bool:
        return self.drawing is not None

    def draw_comparison(self, options: Any, run: RunDirectory) -> dict[str, Any] | None:
        result: dict[str, Any] | None = self.drawing(options, run)
        return result


@dataclass
class Page:
    """Asks a server as the page does; `status` is that of the last answer."""

    server: Server
    status: int = 0

    def ask(self, method: str, path: str, body: Any = None, query: dict[str, str] | None = None) -> Any:
        reply = self.server.answer(Request(method, f"{API}/{path}", query or {}, body))
        self.status = reply.status
        return json.loads(reply.content)

    def get(self, path: str, **query: Any) -> Any:
        return self.ask("GET", path, query={name: str(value) for name, value in query.items()})

    def post(self, path: str, /, **body: Any) -> Any:
        return self.ask("POST", path, body)

    def start(self, step: str, config: dict[str, Any], project: str = "first", **more: Any) -> str:
        """Start a run, and give its id."""
        told = self.post(f"projects/{project}/runs", step=step, config=config, **more)
        assert self.status == 200, told
        return str(told["id"])

    def state(self, run: str, project: str = "first") -> str:
        return str(self.get(f"projects/{project}/runs/{run}")["state"])

    def wait_for(self, run: str, *states: str, project: str = "first") -> dict[str, Any]:
        """The run as soon as it is in one of these states."""
        wait_for(lambda: self.state(run, project) in states)
        return dict(self.get(f"projects/{project}/runs/{run}"))


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def host() -> TestHost:
    return TestHost()


@pytest.fixture
def page(host, home):
    """A page whose server works; all its runs are asked to stop when the test ends."""
    home.mkdir()
    server = Server(host, home)
    server.begin()
    yield Page(server)
    server.end()
    for file in home.rglob("job.json"):
        RunDirectory(file.parent).request("stop")


@pytest.fixture
def idle(host, home) -> Page:
    """A page whose server does not work through its queue."""
    home.mkdir()
    return Page(Server(host, home))


@pytest.fixture
def engine(tmp_path, host):
    """`engine(lines)`: from now on the engine's work, whatever the step, is these lines."""
    if sys.platform == "win32":
        pytest.skip("the stand-in for the engine's Python is a shell script")
    folder = tmp_path / "engine"

    def made(lines: str) -> None:
        folder.mkdir(exist_ok=True)
        work = WORK + textwrap.indent(textwrap.dedent(lines), "    ")
        (folder / "work_of_a_test.py").write_text(work, encoding="utf-8")
        (folder / "engine.py").write_text(ENGINE.format(folder=str(folder)), encoding="utf-8")
        python = folder / "python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/engine.py" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
        host.python = python

    return made


@pytest.fixture
def train(tmp_path) -> dict[str, Any]:
    """The configuration of a training that can be started."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "model.safetensors").touch()
    return {"model": str(tmp_path / "model.safetensors"), "dataset": {"folder": str(tmp_path / "pictures")}}


@pytest.fixture
def compare(tmp_path, train) -> dict[str, Any]:
    """The configuration of a comparison that can be started."""
    (tmp_path / "net-e001.safetensors").touch()
    return {"model": train["model"], "networks": [str(tmp_path / "net-e001.safetensors")], "prompts": ["a cat"]}
