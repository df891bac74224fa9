"""A server on its own data, asked as a browser asks it, and runs that have told what a test says."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import pytest

from lib_trainer.core.events import Event
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.host import Host
from lib_trainer.ui.server import Server
from lib_trainer.ui.web import Request

PNG = b"\x89PNG\r\n\x1a\n"
PROJECT = "/trainer/api/projects/first"


class SharedHost(Host):
    """A host that others can reach: only its own folder may be chosen."""

    any_folder = False

    def __init__(self, root: Path) -> None:
        self.root = root

    def roots(self) -> list[Path]:
        return [self.root]

    def folders(self) -> dict[str, Path]:
        return {"lora": self.root / "models" / "Lora"}


@dataclass
class Answer:
    """What came back."""

    status: int
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)
    media_type: str = ""

    @property
    def data(self) -> Any:
        return json.loads(self.content)

    @property
    def error(self) -> str:
        return str(self.data["error"])


@dataclass
class Browser:
    """Asks a server by addresses as they stand in the bar, decoded once as a web framework does."""

    server: Server

    def ask(self, method: str, address: str, body: Any = None, upload: Path | None = None) -> Answer:
        parts = urlsplit(address)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, errors="surrogateescape"))
        path = unquote(parts.path, errors="surrogateescape")
        reply = self.server.answer(Request(method, path, query, body, upload))
        content = reply.content if reply.file is None else reply.file.read_bytes()
        return Answer(reply.status, content, dict(reply.headers), reply.media_type)

    def get(self, path: str, /, **query: Any) -> Answer:
        return self.ask("GET", path + ("?" + urlencode(query, errors="surrogateescape") if query else ""))

    def post(self, path: str, /, **body: Any) -> Answer:
        return self.ask("POST", path, json.loads(json.dumps(body)))


@pytest.fixture
def browser(tmp_path) -> Browser:
    """A browser at the stand-alone page."""
    return Browser(Server(Host(), tmp_path / "data"))


@pytest.fixture
def guest(tmp_path) -> Browser:
    """A browser at a page that others can reach too, whose host allows `webui` only."""
    root = tmp_path / "webui"
    (root / "models" / "Lora").mkdir(parents=True)
    return Browser(Server(SharedHost(root), tmp_path / "data"))


@pytest.fixture
def make_run(tmp_path):
    """`make_run("train-1", "train", config, events)`: a run of the project `first` that has told these events."""

    def made(name: str, step: str = "train", config: dict[str, Any] | None = None, events: tuple[Event, ...] = ()):
        run = RunDirectory(tmp_path / "data" / "projects" / "first" / "runs" / name)
        run.create(step, config or {})
        for event in events:
            run.append(event)
        return run

    return made


@pytest.fixture
def picture(tmp_path):
    """`picture("folder/a.png")`: a file that begins as a PNG does, below the test's folder."""

    def made(name: str, content: bytes = PNG + b"pixels") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return made
