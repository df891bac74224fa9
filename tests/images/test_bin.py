"""The bin beside a folder of pictures: whole or not at all, nothing overwritten, and back again whatever happened."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from lib_trainer.core.errors import DataError, OutputError
from lib_trainer.core.file_lock import file_lock
from lib_trainer.images import bin as bin_module
from lib_trainer.images.bin import binned, move_to_bin, restore
from lib_trainer.images.bin_journal import JOURNAL, LOCK, bin_folder


@pytest.fixture
def folder(tmp_path):
    """cats/a.jpg with two captions and a mask, cats/b.png alone, cats/in/a.jpg with a caption."""
    files = ("cats/a.jpg", "cats/a.txt", "cats/a.caption", "cats/b.png", "cats/in/a.jpg", "cats/in/a.txt",
             "cats-masks/a.png")  # fmt: skip
    for file in files:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {file}", encoding="utf-8")
    return tmp_path / "cats"


def everything(folder):
    """All files around the folder with their content, those of the bin apart."""
    bin_ = bin_folder(folder)
    paths = [path for path in folder.parent.rglob("*") if path.is_file() and bin_ not in path.parents]
    return {path.relative_to(folder.parent).as_posix(): path.read_bytes() for path in paths}


def lying(folder):
    """The files that lie in the bin, without its own."""
    paths = [path for path in bin_folder(folder).rglob("*") if path.is_file() and path.name not in (JOURNAL, LOCK)]
    return sorted(path.relative_to(bin_folder(folder)).as_posix() for path in paths)


def test_a_picture_takes_its_captions_and_its_mask_along_and_comes_back_with_them(folder):
    before = everything(folder)
    moved = move_to_bin(folder, ["a.jpg"], "a copy of b.png")
    assert sorted(everything(folder)) == ["cats/b.png", "cats/in/a.jpg", "cats/in/a.txt"]
    assert lying(folder) == ["000001/a.caption", "000001/a.jpg", "000001/a.txt", "000001/mask/a.png"]
    (entry,) = binned(folder)
    assert (entry.file, entry.reason, entry.id) == ("a.jpg", "a copy of b.png", moved.entries[0].id)
    assert [each.file for each in restore(folder, [entry.id]).entries] == ["a.jpg"]
    assert everything(folder) == before
    assert binned(folder) == []
    assert lying(folder) == []
    assert not (bin_folder(folder) / "000001").exists()


def test_masks_may_lie_elsewhere(folder, tmp_path):
    (tmp_path / "elsewhere" / "in").mkdir(parents=True)
    (tmp_path / "elsewhere" / "in" / "a.png").write_bytes(b"mask")
    before = everything(folder)
    move_to_bin(folder, ["in/a.jpg"], "", masks=tmp_path / "elsewhere")
    assert lying(folder) == ["000001/a.jpg", "000001/a.txt", "000001/mask/a.png"]
    restore(folder, ["000001"])
    assert everything(folder) == before


def test_pictures_of_one_name_in_two_folders_do_not_meet_in_the_bin(folder):
    before = everything(folder)
    move_to_bin(folder, ["a.jpg", "in/a.jpg"], "")
    assert len(lying(folder)) == 6
    restore(folder, [entry.id for entry in binned(folder)])
    assert everything(folder) == before


def test_a_caption_that_two_pictures_share_stays_until_the_last_of_them_goes(folder):
    (folder / "a.png").write_bytes(b"the same name")
    before = everything(folder)
    move_to_bin(folder, ["a.jpg"], "")
    assert (folder / "a.txt").is_file()
    assert lying(folder) == ["000001/a.jpg"]
    move_to_bin(folder, ["a.png"], "")
    assert not (folder / "a.txt").exists()
    restore(folder, ["000001", "000002"])
    assert everything(folder) == before
    move_to_bin(folder, ["a.png", "a.jpg"], "")  # both at once
    assert not (folder / "a.txt").exists()
    restore(folder, [entry.id for entry in binned(folder)])
    assert everything(folder) == before


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("gone.jpg", "not there"), ("a.txt", "no picture"), ("../cats-masks/a.png", "not lie in the folder"),
        ("/etc/passwd.png", "not lie in the folder"), ("a\0.png", "not lie in the folder"), ("in", "no picture"),
        ("in.png", "no picture"),
    ],
)  # fmt: skip
def test_what_can_not_go_is_named_and_the_rest_goes_on(folder, file, said):
    (folder / "in.png").mkdir()
    moved = move_to_bin(folder, [file, "b.png"], "")
    assert [entry.file for entry in moved.entries] == ["b.png"]
    assert [failure.file for failure in moved.failures] == [file]
    assert said in moved.failures[0].reason


def test_where_a_file_can_not_be_moved_the_picture_stays_whole_and_the_next_one_goes(folder, monkeypatch):
    before = everything(folder)
    shift = bin_module._shift

    def failing(source, target):
        if source == folder / "a.txt":
            raise PermissionError(errno.EACCES, "Permission denied")
        shift(source, target)

    monkeypatch.setattr(bin_module, "_shift", failing)
    moved = move_to_bin(folder, ["a.jpg", "b.png"], "")
    assert [entry.file for entry in moved.entries] == ["b.png"]
    assert "Permission denied" in moved.failures[0].reason
    monkeypatch.undo()
    restore(folder, [entry.id for entry in binned(folder)])
    assert everything(folder) == before


@pytest.mark.parametrize("survived", range(5))
def test_a_kill_in_the_middle_of_a_move_leaves_each_picture_whole(folder, monkeypatch, survived):
    """a.jpg is four files, b.png is one: the kill comes before each of them in turn."""
    before = everything(folder)
    _killed_after(monkeypatch, survived, lambda: move_to_bin(folder, ["a.jpg", "b.png"], ""))
    there = binned(folder)
    assert [entry.file for entry in there] == (["a.jpg"] if survived == 4 else [])
    assert (lying(folder) == []) == (survived < 4)
    restore(folder, [entry.id for entry in there])
    assert everything(folder) == before


@pytest.mark.parametrize("survived", range(4))
def test_a_restore_that_was_killed_goes_on_by_itself(folder, monkeypatch, survived):
    before = everything(folder)
    move_to_bin(folder, ["a.jpg"], "")
    _killed_after(monkeypatch, survived, lambda: restore(folder, ["000001"]))
    assert binned(folder) == []
    assert everything(folder) == before


def _killed_after(monkeypatch, moves, act):
    """Run it until so many files have been moved; nothing at all is done from then on."""
    shift, left = bin_module._shift, [moves]

    def counted(source, target):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        shift(source, target)

    monkeypatch.setattr(bin_module, "_shift", counted)
    with pytest.raises(KeyboardInterrupt):
        act()
    monkeypatch.undo()


def test_over_the_border_of_a_disk_files_are_copied_whole(folder, monkeypatch):
    before = everything(folder)
    _other_disk(monkeypatch)
    move_to_bin(folder, ["a.jpg"], "")
    assert not (folder / "a.jpg").exists()
    assert len(lying(folder)) == 4
    restore(folder, ["000001"])
    assert everything(folder) == before


def test_a_kill_between_the_copy_and_the_removal_doubles_nothing(folder, monkeypatch):
    before = everything(folder)
    _other_disk(monkeypatch)

    def killed(path, missing_ok=False):
        if path == folder / "a.jpg":
            raise KeyboardInterrupt

    monkeypatch.setattr(Path, "unlink", killed)
    with pytest.raises(KeyboardInterrupt):
        move_to_bin(folder, ["a.jpg"], "")
    monkeypatch.undo()
    assert binned(folder) == []
    assert everything(folder) == before
    assert lying(folder) == []


def _other_disk(monkeypatch):
    rename = Path.rename

    def refused(path, target):
        if path.suffix != ".tmp":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)


def test_nothing_that_came_meanwhile_is_overwritten_by_a_restore(folder):
    move_to_bin(folder, ["a.jpg", "b.png"], "")
    (folder / "a.txt").write_text("a new caption", encoding="utf-8")
    moved = restore(folder, ["000001", "000002", "000009"])
    assert [entry.file for entry in moved.entries] == ["b.png"]
    assert "a.txt is there again" in moved.failures[0].reason
    assert (folder / "a.txt").read_text(encoding="utf-8") == "a new caption"
    assert not (folder / "a.jpg").exists()
    assert [entry.file for entry in binned(folder)] == ["a.jpg"]
    assert "not lie in the bin" in moved.failures[1].reason


def test_a_folder_that_holds_other_files_is_not_taken_as_the_bin(folder):
    bin_folder(folder).mkdir()
    (bin_folder(folder) / "mine.jpg").write_bytes(b"x")
    with pytest.raises(OutputError, match="holds other files"):
        move_to_bin(folder, ["a.jpg"], "")
    assert (folder / "a.jpg").exists()


def test_while_another_program_moves_pictures_nothing_is_begun(folder, monkeypatch):
    monkeypatch.setattr(bin_module, "WAIT_SECONDS", 0.0)
    move_to_bin(folder, ["b.png"], "")
    with file_lock(bin_folder(folder) / LOCK) as ours:
        assert ours
        with pytest.raises(OutputError, match="Another program"):
            move_to_bin(folder, ["a.jpg"], "")
    assert (folder / "a.jpg").exists()


def test_half_a_line_and_strange_lines_in_the_journal_are_passed_over(folder):
    move_to_bin(folder, ["b.png"], "")
    journal = bin_folder(folder) / JOURNAL
    strange = {"id": "9", "state": "moved", "time": 0, "file": "x", "reason": "", "pieces": [["x", "../../x"]]}
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(strange) + "\n[]\n" + '{"id": "000001", "state": "rest')
    move_to_bin(folder, ["a.jpg"], "")
    assert [entry.file for entry in binned(folder)] == ["b.png", "a.jpg"]


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        move_to_bin(tmp_path / "nothing", ["a.jpg"], "")


def test_a_bin_that_was_never_used_is_empty_and_is_not_made(folder):
    assert binned(folder) == []
    assert restore(folder, ["000001"]).entries == []
    assert not bin_folder(folder).exists()


def test_odd_names_survive_the_way_there_and_back(folder):
    names = ["🦊 'quotes\" and spaces.jpg", "x" * 250 + ".jpg", b"caf\xe9.jpg".decode("utf-8", "surrogateescape")]
    for name in names:
        (folder / name).write_bytes(b"x")
    before = everything(folder)
    assert len(move_to_bin(folder, names, "").entries) == 3
    assert len(restore(folder, [entry.id for entry in binned(folder)]).entries) == 3
    assert everything(folder) == before


def test_a_bin_in_a_folder_is_not_looked_through(folder):
    pytest.importorskip("PIL")
    from PIL import Image

    from lib_trainer.images.folder import scan
    from lib_trainer.images.options import CaptionOptions

    for name in ("a.jpg", "b.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    move_to_bin(folder, ["a.jpg"], "")
    found = scan(folder.parent, CaptionOptions())
    assert [picture.path.name for picture in found.pictures] == ["b.png"]
    Image.new("RGB", (8, 8)).save(bin_folder(folder) / "000001" / "a.jpg")
    assert len(scan(bin_folder(folder), CaptionOptions()).pictures) == 1  # asked for by its own name it is
