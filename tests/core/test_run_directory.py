"""The folder between host and engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_trainer.core.errors import EngineError, OutputError
from lib_trainer.core.events import Finished, Notice, Started
from lib_trainer.core.run_directory import REQUESTS, RunDirectory


@pytest.fixture
def run(tmp_path):
    directory = RunDirectory(tmp_path / "runs" / "one")
    directory.create("train", {"epochs": 3, "name": "ü"})
    return directory


def test_the_job_comes_back_as_it_was_given(run):
    assert run.job() == ("train", {"epochs": 3, "name": "ü"})


def test_a_folder_that_holds_a_run_is_refused_and_kept(run):
    with pytest.raises(OutputError, match="already holds a run; give another folder, or resume that one"):
        run.create("prepare", {})
    assert run.job()[0] == "train"


def test_a_file_where_the_folder_should_be_is_named(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file.*can't be made .*choose another place"):
        RunDirectory(tmp_path / "file" / "run").create("train", {})


def test_a_job_that_can_not_be_written_is_named(tmp_path, monkeypatch):
    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lib_trainer.core.run_directory.write_text", full)
    with pytest.raises(OutputError, match=r"can't be made .*No space left on device"):
        RunDirectory(tmp_path / "run").create("train", {})


@pytest.mark.parametrize("content", [None, "", "{", "[]", "5", '{"step": "train"}', '{"config": {}}'])
def test_a_folder_without_a_readable_job_is_no_run(tmp_path, content):
    if content is not None:
        (tmp_path / "job.json").write_text(content, encoding="utf-8")
    with pytest.raises(EngineError, match=r"is not a run: its job\.json can't be read"):
        RunDirectory(tmp_path).job()


def test_events_are_read_from_an_offset_on(run):
    assert run.events_after(0) == ([], 0)
    first, second = Started("train", 1), Notice("zwölf")
    run.append(first)
    events, offset = run.events_after(0)
    assert events == [first]
    run.append(second)
    assert run.events_after(offset) == ([second], run.end())
    assert run.events_after(0)[0] == [first, second]


def test_the_end_is_where_new_events_begin(run):
    assert run.end() == 0
    run.append(Notice("old"))
    offset = run.end()
    run.append(Notice("new"))
    assert [event.message for event in run.events_after(offset)[0]] == ["new"]


def test_a_line_that_is_being_written_is_not_read_yet(run):
    run.append(Notice("whole"))
    whole = run.end()
    line = Finished({"a": 1}).to_line().encode()
    with run.events_file.open("ab") as file:
        file.write(line[:20])
        file.flush()
        assert run.events_after(whole) == ([], whole)
        file.write(line[20:] + b"\n")
    assert [type(event) for event in run.events_after(whole)[0]] == [Finished]


def test_the_half_line_of_a_killed_engine_spoils_nothing(run):
    run.append(Notice("before"))
    with run.events_file.open("ab") as file:
        file.write(Notice("lost").to_line().encode()[:-7])
    after_the_kill = run.end()
    run.append(Notice("after"))
    assert [event.message for event in run.events_after(0)[0]] == ["before", "after"]
    assert [event.message for event in run.events_after(after_the_kill)[0]] == ["after"]


@pytest.mark.parametrize("junk", [b"\0\0\0\0", b"\xff\xfe", b"5", b"[]", b'{"a": 1}', b'{"event": "later", "x": 1}',
                                  b'{"event": "stopped", "unknown": 1}'])  # fmt: skip
def test_a_line_that_is_no_event_is_passed_over(run, junk):
    run.append(Notice("before"))
    with run.events_file.open("ab") as file:
        file.write(junk + b"\n")
    run.append(Notice("after"))
    assert [event.message for event in run.events_after(0)[0]] == ["before", "after"]


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_once(run, name):
    assert not run.take_request(name)
    run.request(name)
    run.request(name)
    assert run.take_request(name)
    assert not run.take_request(name)


def test_looking_whether_a_stop_is_asked_for_leaves_the_request(run):
    assert not run.stop_requested()
    run.request("stop")
    assert run.stop_requested()
    assert run.stop_requested()
    assert run.take_request("stop")


def test_requests_do_not_mix(run):
    run.request("save")
    assert not run.stop_requested()
    assert not run.take_request("sample")
    assert run.take_request("save")


def test_the_job_is_json_that_a_person_can_read(run):
    text = run.job_file.read_text(encoding="utf-8")
    assert json.loads(text) == {"step": "train", "config": {"epochs": 3, "name": "ü"}}
    assert text.count("\n") > 3


@pytest.fixture
def disk(run, monkeypatch):
    """`disk.room`: for how many events there is room; more when the reserve is given up."""

    class Disk:
        room = 1
        waits = 0

    written = RunDirectory._written

    def limited(directory, event):
        room = Disk.room + (0 if directory.reserve_file.exists() else 2)
        if len(directory.events_after(0)[0]) < room:
            return written(directory, event)
        return False

    def wait(seconds):
        Disk.waits += 1
        if Disk.waits == 3:
            Disk.room += 10

    run.reserve()
    monkeypatch.setattr(RunDirectory, "_written", limited)
    monkeypatch.setattr("lib_trainer.core.run_directory.time.sleep", wait)
    return Disk


def test_that_the_disk_is_full_is_said_in_the_room_kept_for_it(run, disk):
    run.append(Notice("one"))
    run.append(Notice("two"))
    said = [event.message for event in run.events_after(0)[0]]
    assert said[0] == "one"
    assert said[1].startswith(f"The disk of {run.path} is full. Make room")
    assert said[2] == "two"
    assert not run.reserve_file.exists()
    assert disk.waits == 0


def test_on_a_full_disk_events_wait_for_room_and_none_is_lost(run, disk):
    for message in ("one", "two", "three", "four"):
        run.append(Notice(message))
    said = [event.message for event in run.events_after(0)[0]]
    assert [message for message in said if "full" not in message] == ["one", "two", "three", "four"]
    assert disk.waits == 3


def test_a_stop_ends_the_waiting_for_room(run, disk):
    run.request("stop")
    for message in ("one", "two", "three"):
        run.append(Notice(message))
    assert disk.waits == 0
    assert [event.message for event in run.events_after(0)[0]][-1] == "two"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_disk_that_is_really_full_is_noticed(run):
    run.events_file.symlink_to("/dev/full")
    assert run._written(Notice("lost")) is False


def test_the_reserve_takes_room_and_gives_it_back(run):
    run.reserve()
    assert run.reserve_file.stat().st_size > 10_000
    run.release()
    run.release()
    assert not run.reserve_file.exists()
