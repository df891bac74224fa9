"""The page on its own as a process that tests start, kill and ask."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lib_trainer.core.configs import merge
from lib_trainer.core.file_lock import is_locked
from lib_trainer.ui.options import PageOptions
from lib_trainer.ui.page_process import start_page
from tests.environments import page_python
from tests.visitor import Visitor

# Sixteen steps, and nothing drawn or measured in between.
SHORT = {
    "epochs": 2, "dataset": {"repeats": 1}, "previews": {"every": "never"}, "validation": {"folder": None},
    "saving": {"state_every": "2 steps"},
}  # fmt: skip
CURVE = "document.querySelector('#trainer-stop-progress svg')?.ariaLabel"  # `Losses of openmoji, 12 steps. ...`
STEPS_SHOWN = f"Number({CURVE}?.match(/(\\d+) steps/)?.[1])"


def free_port():
    """A port that nobody uses."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Page:
    """The page on its own, on a port that stays the same when it is started again."""

    home: Path
    port: int = field(default_factory=free_port)
    options: dict = field(default_factory=dict)
    process: subprocess.Popen | None = None

    @property
    def visitor(self):
        return Visitor(f"http://127.0.0.1:{self.port}")

    def start(self):
        """Start it, and wait until it answers."""
        if page_python() is None:
            pytest.skip("the page's environment is not made yet; `python3 tests` makes it")
        options = PageOptions(port=self.port, open_browser=False, engine_python=Path(sys.executable), **self.options)
        self.process = start_page(page_python(), options, self.home)
        self.visitor.wait_until_it_answers(self.process)

    def kill(self):
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self):
        """End it cleanly, and the engines that it left at work."""
        if self.process is not None and self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)
        for events in self.home.glob("projects/*/runs/*/events.jsonl"):
            kill_engine(events.parent)

    def train(self, **told):
        """Start the demo's training by a script, with these options besides; its RUN."""
        config = merge(self.visitor.post("demo").data["train"], {**SHORT, **told})
        answer = self.visitor.post("projects/first/runs", {"step": "train", "config": config})
        assert answer.status == 200, answer.text
        return answer.data

    def runs(self, step="train"):
        """The runs of the first project, as the page gets them."""
        return [run for run in self.visitor.get("projects/first/runs").data["runs"] if run["step"] == step]


def kill_engine(run):
    """Kill the engine that works on a run, if one does."""
    if is_locked(run / "engine.lock"):
        processes = re.findall(r'"process": (\d+)', (run / "events.jsonl").read_text(encoding="utf-8"))
        os.kill(int(processes[-1]), signal.SIGKILL)
