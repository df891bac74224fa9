"""The page on its own, started as a user starts it: `python3 -m lib_trainer page`."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lib_trainer.core.places import DATA_VARIABLE, EXTENSION_ROOT
from lib_trainer.jobs.child_processes import clean_environment
from lib_trainer.jobs.page_environment import page_folder
from tests.environments import HOME, page_python
from tests.visitor import Visitor

NOT_MADE = "the page's environment is not made yet; `python3 tests` makes it"
pytestmark = [pytest.mark.hosts, pytest.mark.skipif(page_python() is None, reason=NOT_MADE)]


@pytest.fixture
def home(tmp_path):
    """A data folder in which the page's environment is ready."""
    folder = tmp_path / "data"
    folder.mkdir()
    page_folder(folder).symlink_to(page_folder(HOME), target_is_directory=True)
    return folder


def free_port():
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def opened(home, *flags, **environment):
    """(process, address) of a page; ended with Ctrl-C."""
    said = home.parent / "said.txt"
    with said.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "lib_trainer", "page", *flags], stderr=stream, cwd=EXTENSION_ROOT,
            env={**clean_environment(), DATA_VARIABLE: str(home), **environment},
        )  # fmt: skip
    try:
        yield process, address_in(said, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def address_in(said, process, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = re.search(r"The page is ready: (http\S+?)/?\n", said.read_text(encoding="utf-8"))
        if found:
            return found[1]
        assert process.poll() is None, said.read_text(encoding="utf-8")
        time.sleep(0.05)
    raise AssertionError(said.read_text(encoding="utf-8"))


def is_gone(address, seconds=15):
    """Whether nobody answers at the address any more, soon."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            Visitor(address, seconds=2).get("about")
        except OSError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.option("PageOptions.port", "PageOptions.open_browser", "PageOptions.engine_python")
def test_it_takes_the_next_free_port_opens_the_browser_and_takes_the_engine_that_was_named(home, tmp_path):
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{tmp_path}/opened"\n', encoding="utf-8")
    browser.chmod(0o755)
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        flags = ["--port", str(port), "--engine-python", sys.executable]
        with opened(home, *flags, BROWSER=str(browser), DISPLAY=":99") as (_, address):
            assert port < int(address.rpartition(":")[2]) < port + 20
            engine = Visitor(address).get("now").data["engine"]
            assert (engine["status"], sys.executable in engine["message"]) == ("ready", True)
    assert (tmp_path / "opened").read_text(encoding="utf-8").startswith(address)


def test_ctrl_c_ends_it_cleanly_and_nothing_answers_any_more(home):
    port = free_port()
    with opened(home, "--port", str(port)) as (process, address):
        assert address == f"http://127.0.0.1:{port}"
        assert Visitor(address).get("about").data["host"] == "page"
        looks_as_it_should(Visitor(address))
    assert process.returncode == 130
    assert is_gone(address, 0.5)
    assert "Traceback" not in (home.parent / "said.txt").read_text(encoding="utf-8")


def looks_as_it_should(visitor):
    """Our style, door and icon come with the front page, which asks nothing of other servers."""
    front, theme = visitor.get("/").text, visitor.get("/theme.css").text
    config = visitor.get("/config").data
    for name in ("style.css", "javascript/trainer.js", "lib_trainer/ui/page.css"):
        assert (EXTENSION_ROOT / name).read_text(encoding="utf-8") in config["head"]
    assert config["title"] == "Trainer"
    icon = EXTENSION_ROOT / "lib_trainer" / "ui" / "page-icon.svg"
    assert visitor.get("/favicon.ico").content == icon.read_bytes()
    loaded = re.findall(r'(?:<script[^>]* src|<link[^>]* href|@import|url\()[="\'( ]*([^"\')>]+)', front + theme)
    foreign = [place for place in loaded if place.startswith(("http:", "https:", "//"))]
    assert len(loaded) > 2
    assert [place for place in foreign if not place.startswith(visitor.address)] == []


def test_a_page_whose_starter_was_killed_ends_too(home):
    with opened(home, "--port", str(free_port())) as (process, address):
        process.kill()
        assert is_gone(address)


@pytest.mark.option("PageOptions.listen")
def test_where_others_reach_it_only_folders_of_its_own_may_be_chosen(home, tmp_path):
    with opened(home, "--port", str(free_port()), "--listen") as (_, address):
        visitor = Visitor(address.replace("0.0.0.0", "127.0.0.1"))
        assert visitor.get("about").data["listens"]
        assert visitor.get(f"folders?path={tmp_path}").status == 403
        assert "give --auth user:password" in (tmp_path / "said.txt").read_text(encoding="utf-8")


@pytest.mark.option("PageOptions.auth", "PageOptions.any_folder")
def test_a_login_is_asked_for_folders_are_allowed_and_no_password_is_on_a_command_line(home, tmp_path):
    flags = ["--port", str(free_port()), "--listen", "--any-folder", "--auth", "anna:one word", "ben:a:b"]
    browser = f"sh -c 'touch {tmp_path}/opened' %s"
    with opened(home, *flags, "--open-browser=false", BROWSER=browser, DISPLAY=":99") as (process, address):
        here = address.replace("0.0.0.0", "127.0.0.1")
        assert Visitor(here).get("about").status == 401
        for user, password in (("anna", "one word"), ("ben", "a:b")):
            visitor = Visitor(here)
            assert visitor.login(user, password)
            assert visitor.get("about").data["user"] == user
            assert visitor.get(f"folders?path={tmp_path}").status == 200
        pages = [line for line in command_lines(process.pid) if "lib_trainer.ui.page" in line]
        assert (len(pages), any("one word" in line for line in pages)) == (1, False)
    assert "give --auth" not in (tmp_path / "said.txt").read_text(encoding="utf-8")
    assert not (tmp_path / "opened").exists()


def command_lines(parent):
    """What the children of a process were started with."""
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    return [Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").replace("\0", " ") for child in children]


def test_a_wrong_login_option_is_refused_without_showing_it(home):
    done = subprocess.run(
        [sys.executable, "-m", "lib_trainer", "page", "--auth", "anna:x", "secretword"], capture_output=True, text=True,
        cwd=EXTENSION_ROOT, env={**os.environ, DATA_VARIABLE: str(home)}, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "Number 2 of 'auth' must be user:password" in done.stderr
    assert "secretword" not in done.stderr
