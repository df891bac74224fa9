"""Locks that a process loses when it ends, however it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lib_trainer.core.file_lock import file_lock, is_locked

ROOT = Path(__file__).parents[2]
HOLD = """
import sys, pathlib, time
from lib_trainer.core.file_lock import file_lock
with file_lock(pathlib.Path(sys.argv[1])) as ours:
    print("held" if ours else "refused", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock `tmp_path/lock`."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout.readline().strip() == b"held"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_lock_that_nobody_holds_is_given(tmp_path):
    with file_lock(tmp_path / "new folder" / "lock") as ours:
        assert ours


def test_another_process_is_refused_without_waiting(tmp_path, holder):
    with file_lock(tmp_path / "lock") as ours:
        assert not ours
    assert is_locked(tmp_path / "lock")


def test_a_killed_process_loses_its_lock(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert not is_locked(tmp_path / "lock")
    with file_lock(tmp_path / "lock") as ours:
        assert ours


def test_the_lock_ends_with_its_block_and_the_file_stays(tmp_path):
    with file_lock(tmp_path / "lock"):
        pass
    assert not is_locked(tmp_path / "lock")
    assert (tmp_path / "lock").exists()


def test_asking_about_a_lock_makes_no_file(tmp_path):
    assert not is_locked(tmp_path / "lock")
    assert not (tmp_path / "lock").exists()
