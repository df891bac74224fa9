"""The shipped pins and lock."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from lib_trainer.core.errors import EngineError
from lib_trainer.jobs.pins import SHIPPED, Pins, check_python_version, differences

LINES = [line for line in SHIPPED.lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def test_every_line_of_the_lock_is_an_exact_pin():
    assert [line for line in LINES if not re.fullmatch(r"[a-z0-9-]+==[0-9][\w.]*( ; .+)?", line)] == []


def test_the_lock_has_the_direct_pins_in_the_same_versions_and_torch_is_apart():
    locked = {line.partition("==")[0]: line.partition("==")[2].partition(" ")[0] for line in LINES}
    assert {**locked, "torch": SHIPPED.versions["torch"]}.items() >= SHIPPED.versions.items()
    assert not {name for name in locked if re.match("torch|nvidia|cuda|triton", name)}
    assert SHIPPED.torch == "torch==2.13.0"


def test_the_pins_name_no_place_to_download_from():
    text = SHIPPED.lock.read_text(encoding="utf-8") + SHIPPED.direct.read_text(encoding="utf-8")
    assert not re.search(r"https?:|--|@", text.replace("resolve_pins.py --write", ""))


def test_the_digest_changes_with_a_pin_and_not_with_comments_or_line_ends(tmp_path):
    def digest(direct, lock):
        (tmp_path / "in").write_bytes(direct)
        (tmp_path / "lock").write_bytes(lock)
        return Pins(tmp_path / "in", tmp_path / "lock", None).digest

    first = digest(b"torch==1\n", b"a==1\n")
    assert digest(b"# why\r\ntorch==1\r\n", b"a==1\r\n\r\n") == first
    assert digest(b"torch==2\n", b"a==1\n") != first
    assert digest(b"torch==1\n", b"a==2\n") != first


def test_a_local_suffix_is_no_difference_and_all_else_is_named():
    wanted = {"torch": "2.13.0", "numpy": "2.2.6", "pillow": "12.3.0"}
    assert differences(wanted, {"torch": "2.13.0+cu130", "numpy": "2.2.60"}) == [
        "numpy is 2.2.60 instead of 2.2.6",
        "pillow 12.3.0 is missing",
    ]


@pytest.mark.parametrize("version", [(3, 9, 18), (2, 7, 18), (3, 14, 0)])
def test_a_python_outside_the_range_is_refused(version):
    with pytest.raises(EngineError, match=r"exist for Python 3\.10 to 3\.13"):
        check_python_version(version, "The trainer was started with")


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 13, 9)])
def test_a_python_in_the_range_is_taken(version):
    check_python_version(version, "x is")


@pytest.mark.slow
def test_the_pins_resolve_for_every_supported_python_and_system(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1]))
    import resolve_pins

    uv = resolve_pins.find_uv()
    if uv is None:
        pytest.skip("uv is not installed; put it on PATH or name it in the environment variable UV")
    found = resolve_pins.failures(uv)
    assert len(found) == 24
    assert {combination: why for combination, why in found.items() if why} == {}


def test_the_running_python_may_make_the_engine():
    check_python_version(sys.version_info[:3], "The tests run on")
