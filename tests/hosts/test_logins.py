"""Where a program asks for a login, so does every route of ours: a program's own guard does not reach them."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from lib_trainer.ui.routes import ROUTES
from tests.hosts.small_webui import LOGIN, SECRET

pytestmark = pytest.mark.hosts


def every_route():
    """(method, path) of each route, with something in the place of its names."""
    return [(method, re.sub(r"\{\w+\}", "first", pattern)) for method, pattern in ROUTES]


@pytest.mark.parametrize("cookie", ["", "access-token=guessed", "access-token-unsecure=guessed; access-token=None"])
def test_without_a_login_every_route_answers_401_and_nothing_else(locked_webui, cookie):
    visitor = replace(locked_webui.visitor, cookie=cookie)
    answers = {(method, path): visitor.ask(method, path, {}) for method, path in every_route()}
    assert len(answers) >= 40
    assert {route: answer.status for route, answer in answers.items() if answer.status != 401} == {}
    assert all(list(answer.data) == ["error"] for answer in answers.values())


def test_also_what_is_no_route_answers_401_so_that_nobody_learns_what_there_is(locked_webui):
    for path in ("/trainer/api/nothing", "/trainer/page/nothing.mjs", "/trainer/api/projects/nothing/runs"):
        assert locked_webui.visitor.get(path).status == 401


def test_a_wrong_password_lets_nobody_in(locked_webui):
    visitor = replace(locked_webui.visitor)
    assert not visitor.login(LOGIN[0], "guessed")
    assert visitor.get("about").status == 401


def test_with_a_login_the_page_works_and_knows_who_it_is(locked_webui):
    visitor = replace(locked_webui.visitor)
    assert visitor.login(*LOGIN)
    about = visitor.get("about")
    assert (about.status, about.data["user"]) == (200, LOGIN[0])
    assert visitor.get("/trainer/page/main.mjs").status == 200
    assert visitor.get("projects/first/runs").data["runs"][0]["id"] == "train-1"
    assert visitor.post("check", {"step": "train", "config": {}}).status == 200
    outside = visitor.get(f"projects/first/runs/train-1/file?path={locked_webui.outside / 'secret.png'}")
    assert outside.status == 403
    assert SECRET not in outside.text
