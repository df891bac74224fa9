"""A WebUI in each version of Gradio, open and with a login."""

from __future__ import annotations

import pytest

from tests.environments import HOSTS
from tests.hosts.small_webui import LOGIN, end, started


@pytest.fixture(scope="session", params=[*HOSTS, "page"])
def webui(request, tmp_path_factory):
    """An open one, in each version of Gradio."""
    process, made = started(request.param, tmp_path_factory.mktemp(request.param))
    yield made
    end(process)


@pytest.fixture(scope="session", params=[*HOSTS, "page"])
def locked_webui(request, tmp_path_factory):
    """One that asks for a login."""
    process, made = started(request.param, tmp_path_factory.mktemp(f"{request.param}-locked"), ":".join(LOGIN))
    yield made
    end(process)
