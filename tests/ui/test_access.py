"""Which texts are paths and names, and which files are a run's."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lib_trainer.core.events import Cell, Loss, Saved
from lib_trainer.ui.access import file_of_run, files_told, full_path, is_inside, plain_name
from lib_trainer.ui.web import Refused

POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="paths of other systems")


@POSIX_ONLY
@pytest.mark.parametrize(
    ("text", "path"),
    [("/a/b", "/a/b"), ("/a/../b", "/b"), ("/../../etc", "/etc"), ("//a//b/.", "/a/b"), ("/a\\b", "/a\\b")],
)
def test_a_full_path_is_taken_without_its_detours(text, path):
    assert full_path(text) == Path(path)


@POSIX_ONLY
@pytest.mark.parametrize("text", ["", "a", "./a", "../a", "~/a", "~root", "file:///a", "C:\\a", "/a\0b", "/a\ud800b"])
def test_anything_else_is_no_path(text):
    with pytest.raises(Refused) as refused:
        full_path(text)
    assert refused.value.status == 400


@pytest.mark.parametrize("text", ["C:\\a\\b", "c:/a", "D:\\a b\\ü.png", "C:\\"])
def test_windows_paths_with_their_drive_are_taken(text):
    assert full_path(text, windows=True)


@pytest.mark.parametrize(
    "text",
    [
        "a", "\\a", "/a", "C:a", "C:", "~\\a", "\\\\server\\share\\a", "//server/share", "\\\\?\\C:\\a",
        "\\\\.\\pipe\\a", "C:\\a.png:stream", "C:\\con", "C:\\a\\NUL.txt", "C:\\com1 .png", "C:\\aux\\b", "C:\\a\0",
    ],
)  # fmt: skip
def test_windows_paths_to_shares_devices_streams_or_half_written_ones_are_refused(text):
    with pytest.raises(Refused):
        full_path(text, windows=True)


@pytest.mark.parametrize("name", ["cat.jpg", "My cat (2).png", "катя.webp", "a.b.txt", "console.png", "~a.png"])
def test_a_plain_name_is_kept_as_it_is(name):
    assert plain_name(name, "The file name") == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", ".hidden", "a/b", "a\\b", "a:b", "CON", "nul.txt", "lpt1.jpg", "a\0", "a\n", "a ", " a", "a.", "a*",
     "x" * 201, "ü" * 101, "\ud800"],
)  # fmt: skip
def test_what_some_system_can_not_use_as_a_name_is_refused(name):
    with pytest.raises(Refused, match="The file name"):
        plain_name(name, "The file name")


def test_a_link_counts_as_where_it_leads(tmp_path):
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
    (tmp_path / "inside" / "link").symlink_to(tmp_path / "outside")
    assert is_inside(tmp_path / "inside" / "new" / "file", [tmp_path / "inside"])
    assert not is_inside(tmp_path / "inside" / "link" / "file", [tmp_path / "inside"])
    assert not is_inside(tmp_path / "inside2", [tmp_path / "inside"])


def test_a_circle_of_links_is_inside_of_nothing(tmp_path):
    (tmp_path / "one").symlink_to(tmp_path / "other")
    (tmp_path / "other").symlink_to(tmp_path / "one")
    assert not is_inside(tmp_path / "one" / "file", [tmp_path / "elsewhere"])


def test_a_runs_files_are_those_in_its_folder_and_those_it_told(run, tmp_path):
    told, cell, other = (tmp_path / name for name in ("told.png", "cell.png", "other.png"))
    run.append(Loss(1, 1, 0.5, {}))
    run.append(Saved("picture", str(told)))
    run.append(Cell(0, 0, str(cell), ""))
    with run.events_file.open("ab") as file:
        file.write(b'{"event": "saved", "path": "/half')
    assert files_told(run) == [told, cell]
    assert file_of_run(run, str(told)) == told
    inside = run.path / "samples" / "a.png"
    assert file_of_run(run, f"{run.path}/samples/../samples/a.png") == inside
    with pytest.raises(Refused, match="no file of this run"):
        file_of_run(run, str(other))
