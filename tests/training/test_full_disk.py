"""Full disks while a run writes its files, and what else a disk may say."""

from __future__ import annotations

import errno
import os
from functools import partialmethod
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import OutputError  # noqa: E402
from lib_trainer.training import patience  # noqa: E402

PREVIEW = {"prompts": ["a cat"], "steps": 1, "cfg_scale": 1}
ALL_KINDS = {"previews": PREVIEW, "saving": {"every": "1 epoch", "state_every": "1 epoch"}, "epochs": 2}


class FullDisk:
    """Refuses to give files with these endings their names, so many times, with this error."""

    def __init__(self, monkeypatch, ending, times, code=errno.ENOSPC):
        self.ending, self.left, self.code = ending, times, code
        self.plain = Path.replace
        monkeypatch.setattr(Path, "replace", partialmethod(_replace, self))
        monkeypatch.setattr(patience, "WAIT_SECONDS", 0.01)

    def asked(self, path, target):
        if Path(target).name.endswith(self.ending) and self.left:
            self.left -= 1
            raise OSError(self.code, os.strerror(self.code), str(target))
        return self.plain(path, target)


def _replace(path, disk, target):
    return disk.asked(path, target)


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("e001.safetensors", errno.ENOSPC),
        ("e001.safetensors", errno.EDQUOT),
        ("e001.json", errno.ENOSPC),
        (".preview.png", errno.ENOSPC),
        ("000004-1.png", errno.ENOSPC),
        ("000004.pt", errno.ENOSPC),
    ],
)
def test_on_a_full_disk_the_run_says_so_once_waits_and_goes_on(runs, monkeypatch, ending, code):
    disk = FullDisk(monkeypatch, ending, 3, code)
    run = runs.train(ALL_KINDS)
    assert disk.left == 0
    assert run.messages.count("The disk is full") == 1
    assert "Make room; the run waits and then goes on" in run.messages
    assert [path.name for path in run.out.glob("*.tmp")] == []
    assert sorted(path.name for path in run.out.iterdir()) == [f"net-e00{epoch}{kind}" for epoch in (1, 2)
                                     for kind in (".json", ".preview.png", ".safetensors")]  # fmt: skip
    assert run.state["place"]["step"] == 8
    assert len(list(run.directory.samples.iterdir())) == 2


def test_a_run_that_waits_for_room_can_be_stopped(runs, monkeypatch):
    FullDisk(monkeypatch, "e001.safetensors", 10**9)
    monkeypatch.setattr(patience.time, "sleep", lambda _: runs.run().directory.request("stop"))
    run = runs.train(ALL_KINDS)
    assert run.result == {}
    assert run.networks == []


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("e001.safetensors", errno.EACCES),
        ("e001.json", errno.EIO),
        ("000004-1.png", errno.EACCES),
        ("000004.pt", errno.EIO),
    ],
)
def test_what_else_the_disk_says_ends_the_run_with_a_sentence(runs, monkeypatch, ending, code):
    FullDisk(monkeypatch, ending, 1, code)
    with pytest.raises(OutputError, match=rf"can't be written .*{os.strerror(code)}.*check the folder and its rights"):
        runs.train(ALL_KINDS)
    assert list(runs.folder.rglob("*.tmp")) == []
