"""The tests' own pins."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENGINE = ROOT / "lib_trainer" / "jobs" / "requirements.txt"


def pins(file):
    """Name -> exact version and marker of a requirements file."""
    lines = (line.partition("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return dict(line.split("==", 1) for line in lines if line and not line.startswith("-r"))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-host.txt"])
def test_every_tool_is_pinned_and_none_replaces_a_package_of_the_engine(name):
    ours, engines = pins(ROOT / "tests" / name), pins(ENGINE)
    assert len(ours) > 5
    assert len(engines) > 40
    assert {tool: pin for tool, pin in ours.items() if engines.get(tool, pin) != pin} == {}
