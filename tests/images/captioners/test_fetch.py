"""The step `fetch`, against a hub on this computer that also breaks off and lies."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.core.events import Progress
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners import fetch as step
from lib_trainer.images.captioners.fetch import fetch
from lib_trainer.images.captioners.fetching_options import FetchOptions
from lib_trainer.images.captioners.found_models import own_folder
from lib_trainer.images.captioners.known_models import KNOWN_MODELS, KnownModel

pytestmark = pytest.mark.engine
pytest.importorskip("httpx")

CONTENT = {"config.json": b"{}", "model.safetensors": bytes(range(256)) * 40, "README.md": b"read me", "a/b.json": b"1",
           "..\\evil.json": b"2", "pytorch_model.bin": b"old"}  # fmt: skip


class Hub(BaseHTTPRequestHandler):
    """`server.cut`: how many bytes of a weight are sent before the connection breaks, one for each time it is asked."""

    def do_GET(self):
        self.server.asked.append((self.path.partition("?")[0], self.headers.get("Range")))
        if self.path.startswith("/api/models/me/mini/revision/main"):
            return self.answer(json.dumps({"sha": "abc", "siblings": self.server.listed()}).encode())
        name = self.path.rpartition("/")[2]
        content = self.server.content.get(name)
        if content is None or not self.path.startswith("/me/mini/resolve/abc/"):
            return self.send_error(404)
        start = int(self.headers.get("Range", "bytes=0-")[6:-1])
        if start >= len(content):
            return self.send_error(416)
        part = content[start:]
        cut = self.server.cut.pop(0) if name == "model.safetensors" and self.server.cut else len(part)
        return self.answer(part, 206 if start else 200, cut)

    def answer(self, content, status=200, cut=None):
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:cut])
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def hub(monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.content, server.cut, server.asked = dict(CONTENT), [], []
    server.listed = lambda: [told(name, content) for name, content in CONTENT.items()]
    monkeypatch.setitem(KNOWN_MODELS, "mini", KnownModel("blip", "me/mini", 10_242, "MIT", "small"))
    monkeypatch.setattr(step, "PAUSE_SECONDS", 0.0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def told(name, content):
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    told = {"rfilename": name, "size": len(content), "blobId": git}
    return told | ({"lfs": {"sha256": hashlib.sha256(content).hexdigest()}} if name == "model.safetensors" else {})


@pytest.fixture
def run(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.create("fetch", {})
    return directory


def options(server, **told):
    return FetchOptions(model="mini", **{"hub": f"http://127.0.0.1:{server.server_port}", **told})


@pytest.mark.option("FetchOptions.model", "FetchOptions.hub")
def test_a_model_comes_with_what_it_needs_and_nothing_else(hub, run):
    result = fetch(options(hub), run)
    assert {path.name: path.read_bytes() for path in (own_folder() / "mini").iterdir()} == {
        name: CONTENT[name] for name in ("config.json", "model.safetensors")
    }
    assert result == {"model": "mini", "folder": str(own_folder() / "mini"), "bytes": 2 + 10_240}
    assert [path.name for path in own_folder().iterdir()] == ["mini"]
    assert any(isinstance(event, Progress) for event in run.events_after(0)[0])
    hub.asked.clear()
    assert fetch(options(hub), run)["bytes"] == 0
    assert hub.asked == []


def test_without_a_mirror_the_hub_itself_is_asked(hub, run, monkeypatch):
    constants = pytest.importorskip("huggingface_hub").constants
    monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{hub.server_port}")
    assert fetch(FetchOptions(model="mini"), run)["bytes"] == 2 + 10_240


def test_what_is_cut_off_goes_on_where_it_ended(hub, run):
    hub.cut = [1000, 2000]
    fetch(options(hub), run)
    assert [asked for path, asked in hub.asked if path.endswith("model.safetensors")] == [
        None, "bytes=1000-", "bytes=3000-",
    ]  # fmt: skip
    assert (own_folder() / "mini" / "model.safetensors").read_bytes() == CONTENT["model.safetensors"]


@pytest.mark.option("FetchOptions.attempts")
def test_what_is_cut_off_too_often_is_kept_for_the_next_time(hub, run):
    hub.cut = [1000, 2000, 3000]
    with pytest.raises(ModelError, match="cut off 2 times, at last after 3000 of 10240 bytes"):
        fetch(options(hub, attempts=2), run)
    assert not (own_folder() / "mini").exists()
    fetch(options(hub), run)
    assert hub.asked[-1][1] == "bytes=6000-"
    assert (own_folder() / "mini" / "model.safetensors").read_bytes() == CONTENT["model.safetensors"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_what_does_not_have_its_checksum_is_thrown_away(hub, run, name):
    hub.content[name] = b"<>" if name == "config.json" else bytes(10_240)
    with pytest.raises(ModelError, match="does not have its checksum"):
        fetch(options(hub), run)
    assert not (own_folder() / "mini").exists()
    hub.content[name] = CONTENT[name]
    assert fetch(options(hub), run)["bytes"] == 10_242


def test_another_file_than_the_one_that_is_known_is_not_fetched(hub, run, monkeypatch):
    known = KnownModel("blip", "me/mini", 1, "MIT", "", sha256={"model.safetensors": "0" * 64})
    monkeypatch.setitem(KNOWN_MODELS, "mini", known)
    with pytest.raises(ModelError, match="is not the file that is known here"):
        fetch(options(hub), run)
    assert [path for path, _ in hub.asked] == ["/api/models/me/mini/revision/main"]


def test_asked_to_stop_it_keeps_what_has_come(hub, run):
    run.request("stop")
    assert fetch(options(hub), run) == {}
    assert not (own_folder() / "mini").exists()


def test_a_hub_that_is_not_there_is_named(hub, run):
    with pytest.raises(ModelError, match="can't be asked for me/mini"):
        fetch(options(hub, hub="http://127.0.0.1:9"), run)


def test_a_model_that_nobody_knows_is_refused():
    with pytest.raises(ConfigError, match="Did you mean 'wd-vit-tagger-v3'"):
        FetchOptions(model="wd-vit-taggr-v3").known()


def test_every_known_model_says_where_it_lies_and_under_which_licence():
    for name, known in KNOWN_MODELS.items():
        assert known.licence and known.bytes > 10_000_000, name
        assert all(len(digest) == 64 for digest in known.sha256.values())
        assert known.is_of_the_hub or set(known.sha256) == set(known.files)
