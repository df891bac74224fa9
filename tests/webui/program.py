"""A real WebUI as a child process: started with the extension linked in, asked over HTTP, killed, started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
START_SECONDS = 240
UP = "Startup time:"
FLAGS = {
    "A1111": ("--use-cpu", "all", "--no-half", "--skip-torch-cuda-test", "--no-download-sd-model"),
    "Forge": ("--always-cpu", "--skip-torch-cuda-test", "--no-download-sd-model"),
}


class WebUI:
    """One checkout; `python` is its own environment's."""

    def __init__(self, folder: Path, python: Path, data: Path) -> None:
        self.folder, self.python, self.data = folder, python, data
        self.kind = "Forge" if (folder / "modules_forge").is_dir() else "A1111"
        self.port = free_port()
        self.log = data / "webui.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def link(self) -> None:
        """Put the extension where the WebUI looks; an older link of ours is replaced."""
        place = self.folder / "extensions" / "lib-trainer"
        if place.is_symlink():
            place.unlink()
        if place.exists():
            raise SystemExit(f"{place} is there already and is no link; move it away first.")
        place.symlink_to(ROOT, target_is_directory=True)

    def unlink(self) -> None:
        """Take the link away again."""
        place = self.folder / "extensions" / "lib-trainer"
        if place.is_symlink():
            place.unlink()

    def lend_checkpoint(self, checkpoint: Path) -> None:
        """Make a checkpoint choosable; what lies there under its name stays."""
        place = self.folder / "models" / "Stable-diffusion" / checkpoint.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(checkpoint)

    def start(self, *flags: str, extension: bool = True) -> float:
        """Start it and wait until it answers; returns the seconds that took."""
        began = time.monotonic()
        ours = ("--trainer-dir", str(self.data)) if extension else ()
        command = [
            str(self.python), "launch.py", *FLAGS[self.kind], "--skip-prepare-environment", "--api",
            "--port", str(self.port), *ours, *flags,
        ]  # fmt: skip
        environment = {**os.environ, "GRADIO_ANALYTICS_ENABLED": "False", "PYTHONUNBUFFERED": "1"}
        self.data.mkdir(parents=True, exist_ok=True)
        starts = self.starts()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.wait_until_up(starts)
        return time.monotonic() - began

    def starts(self) -> int:
        """How often it has said that it is up."""
        return self.log.read_text(encoding="utf-8", errors="replace").count(UP) if self.log.exists() else 0

    def wait_until_up(self, starts: int) -> None:
        """Wait until it says once more that it is up; who asks it earlier can bring AUTOMATIC1111 down."""
        end = time.monotonic() + START_SECONDS
        while self.starts() <= starts:
            if self._process is None or self._process.poll() is not None or time.monotonic() > end:
                tail = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
                raise SystemExit(f"The WebUI did not start:\n{tail}")
            time.sleep(0.5)

    def ask(self, route: str, data: object = None, method: str = "") -> dict:
        """JSON there and back; an error's JSON comes back too, with its `status`."""
        body = None if data is None else json.dumps(data).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.address + route, body, headers, method=method or None)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": error.code, **json.loads(error.read() or b"{}")}

    def stop(self) -> None:
        """As Ctrl-C does."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """As a power cut does, but for what it started."""
        self._end(signal.SIGKILL)

    def _end(self, sign: int) -> None:
        if self._process is None:
            return
        self._process.send_signal(sign)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def freeze(self) -> str:
        """What is installed in the WebUI's environment."""
        command = [str(self.python), "-m", "pip", "freeze", "--all"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
