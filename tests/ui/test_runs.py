"""What is folded from a run's events."""

from __future__ import annotations

import json

import pytest

from lib_trainer.core.events import Failed, Finished, HeldOut, Loss, Notice, Progress, Saved, Started, Stopped
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.projects import find_project
from lib_trainer.ui.runs import Summaries, log_tail, raw_events, summary

WHOLE = (
    Started("train", 1, time=10.0),
    HeldOut(0, 0, 0.5),
    Progress("Training", 1, 4, "steps"),
    Loss(1, 0, 0.25, {"unet": 1e-4}),
    HeldOut(2, 1, 0.4),
    Saved("network", "/a-e001.safetensors", 2, 1),
    Saved("state", "/state.pt", 2, 1),
    HeldOut(4, 2, 0.45),
    Saved("network", "/a-e002.safetensors", 4, 2),
    Saved("network", "/a-e002.safetensors", 4, 2),
)


@pytest.fixture
def project(home):
    return find_project(home, "first")


@pytest.fixture
def told_run(project):
    """A run that has told `WHOLE`."""
    run = RunDirectory(project.runs_folder / "train-1")
    run.create("train", {"dataset": {"folder": "/pictures/cats"}, "saving": {"name": ""}})
    for event in WHOLE:
        run.append(event)
    return run


def test_a_summary_holds_what_the_events_said(project, told_run):
    told = Summaries().told(told_run)
    made = summary(project, told_run, told, "running", None)
    assert made["name"] == "cats"
    assert made["progress"] == {"stage": "Training", "done": 1, "total": 4, "unit": "steps"}
    assert made["best_held_out"] == {"epoch": 1, "value": 0.4}
    assert (made["last_loss"], made["started"], made["ended"]) == (0.25, 10.0, None)
    assert made["size"] == told_run.events_file.stat().st_size
    assert made["networks"] == [
        {"path": f"/a-e00{epoch}.safetensors", "epoch": epoch, "step": 2 * epoch, "exists": False} for epoch in (1, 2)
    ]


@pytest.mark.parametrize(("ending", "name", "message"), [
    (Finished({"a": 1}), "finished", ""), (Stopped(), "stopped", ""), (Failed("No picture."), "failed", "No picture."),
])  # fmt: skip
def test_the_last_event_says_how_it_ended_until_it_is_started_again(told_run, ending, name, message):
    summaries = Summaries()
    told_run.append(ending)
    told = summaries.told(told_run)
    assert (told.ending, told.message, told.ended) == (name, message, ending.time)
    told_run.append(Started("train", 2, time=99.0))
    told = summaries.told(told_run)
    assert (told.ending, told.message, told.ended, told.starts, told.started) == (None, "", None, 2, 10.0)


def test_only_what_is_new_is_read(told_run):
    summaries = Summaries()
    summaries.told(told_run)
    size = told_run.end()
    with told_run.events_file.open("r+b") as file:
        file.write(b"x" * size)  # whoever reads the beginning again understands nothing of it
    told_run.append(Loss(2, 0, 0.125, {}))
    told = summaries.told(told_run)
    assert (told.last_loss, told.started, len(told.networks)) == (0.125, 10.0, 2)


def test_half_a_line_waits_for_its_other_half(told_run):
    summaries, line = Summaries(), Loss(9, 9, 0.0625, {}).to_line()
    with told_run.events_file.open("a", encoding="utf-8") as file:
        file.write(line[:20])
    assert summaries.told(told_run).last_loss == 0.25
    with told_run.events_file.open("a", encoding="utf-8") as file:
        file.write(line[20:] + "\n")
    assert summaries.told(told_run).last_loss == 0.0625


def test_events_that_begin_anew_are_read_anew(told_run):
    summaries = Summaries()
    summaries.told(told_run)
    told_run.events_file.unlink()
    told_run.append(Started("train", 7, time=50.0))
    told = summaries.told(told_run)
    assert (told.started, told.networks) == (50.0, {})


def test_a_warning_is_shown_until_the_work_goes_on(told_run):
    summaries = Summaries()
    told_run.append(Notice("The disk is full.", "warning"))
    told_run.append(Notice("Something else."))
    assert summaries.told(told_run).message == "The disk is full."
    told_run.append(Progress("Training", 2, 4, "steps"))
    assert summaries.told(told_run).message == ""


def test_lines_that_are_no_events_are_passed_over(told_run):
    with told_run.events_file.open("ab") as file:
        file.write(b'{"event"\n[1]\nnull\n"x"\n{"a": 1}\n\xff\xfe\n\n')
    told_run.append(Loss(2, 0, 0.125, {}))
    assert Summaries().told(told_run).last_loss == 0.125
    assert len(raw_events(told_run, 0, 100)[0]) == len(WHOLE) + 1


def test_what_is_no_number_reaches_the_browser_as_null(told_run):
    offset = told_run.end()
    told_run.append(Loss(2, 0, float("nan"), {"unet": float("inf")}))
    (event,), _ = raw_events(told_run, offset, 10)
    assert json.loads(json.dumps(event, allow_nan=False))["value"] is None
    assert Summaries().told(told_run).last_loss is None


def test_events_come_in_pieces_that_fit_together(told_run):
    pieces, offset = [], 0
    while offset < told_run.end():
        events, offset = raw_events(told_run, offset, 3)
        assert len(events) <= 3
        pieces += events
    assert pieces == [json.loads(event.to_line()) for event in WHOLE]
    assert raw_events(told_run, offset, 3) == ([], offset)


def test_an_offset_of_a_file_that_was_replaced_begins_anew(told_run):
    events, offset = raw_events(told_run, told_run.end() + 1000, 100)
    assert (len(events), offset) == (len(WHOLE), told_run.end())


def test_a_job_that_can_not_be_read_is_listed_with_its_reason(project):
    run = RunDirectory(project.runs_folder / "train-2")
    run.path.mkdir(parents=True)
    run.job_file.write_text("{", encoding="utf-8")
    told = Summaries().told(run)
    made = summary(project, run, told, "interrupted", None)
    assert (made["step"], made["resumable"]) == ("", False)
    assert "job.json can't be read" in made["message"]


def test_the_name_that_a_training_took_is_shown(project, told_run):
    (told_run.path / "identity.json").write_text('{"name": "cats-2"}', encoding="utf-8")
    assert summary(project, told_run, Summaries().told(told_run), "running", None)["name"] == "cats-2"


def test_the_chosen_network_of_a_run_is_named(project, told_run):
    project.choose("train-1", {"network": "/a-e001.safetensors", "strength": 0.8, "phrase": "<lora:a-e001:0.8>"})
    assert summary(project, told_run, Summaries().told(told_run), "finished", None)["chosen"] == "/a-e001.safetensors"


def test_the_log_is_shown_from_its_end(told_run):
    assert log_tail(told_run) == ""
    told_run.log_file.write_text("ä" * 5000 + "the end", encoding="utf-8")
    assert log_tail(told_run, 100).endswith("ää" + "the end")
