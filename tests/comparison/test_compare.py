"""The step: what is there is kept, a stop loses nothing, and no picture depends on the others."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine
torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from lib_trainer.comparison import drawing  # noqa: E402
from lib_trainer.core.configs import dump, load  # noqa: E402
from lib_trainer.core.errors import ModelError, OutputError, TrainingError  # noqa: E402
from lib_trainer.core.events import Cell, GridPlan, Notice, Progress, Saved  # noqa: E402
from lib_trainer.steps import step_named  # noqa: E402
from tests.comparison.conftest import APPLE, FOX  # noqa: E402


def test_the_step_is_found_by_its_name_and_its_options_survive_the_job_file(options):
    step = step_named("compare")
    assert step.resolve().__name__ == "compare"
    made = options(seeds=(1, 2))
    assert load(step.options, dump(made)) == made


def test_the_result_says_what_was_drawn_row_by_row(compare, options):
    result = compare(options(seeds=(1, 2)))
    assert (result["pictures"], result["drawn"], result["kept"]) == (4, 4, 0)
    starts = ["no-network-seed-1", "no-network-seed-2", "style-e001-at-1-seed-1", "style-e001-at-1-seed-2"]
    for path, start in zip(result["cells"], starts, strict=True):
        assert Path(path).name.startswith(start)
    assert Image.open(result["grid"]).size[0] > 128


def test_strength_zero_gives_the_picture_of_the_model_alone_bit_for_bit(compare, options, pixels):
    drawn = pixels(compare(options(strengths=(0.0, 1.0), seeds=(1, 2))))
    assert drawn[2:4] == drawn[0:2]
    assert not set(drawn[4:6]) & set(drawn[0:2])


def test_a_picture_does_not_depend_on_which_others_are_drawn_with_it(compare, options, pixels, tmp_path):
    together = pixels(compare(options(prompts=(APPLE, FOX), seeds=(1, 2, 3), output=tmp_path / "together")))
    alone = pixels(compare(options(prompts=(FOX,), seeds=(3,), batch_size=1, output=tmp_path / "alone")))
    for one, other in zip((together[5], together[11]), alone, strict=True):
        # A sum over more rows may round otherwise in the last bit of a float.
        assert max(abs(a - b) for a, b in zip(one, other, strict=True)) <= 1


def test_the_model_is_left_as_it_was_after_each_network(compare, options, pixels, make_network, tmp_path):
    one, other = make_network("one", seed=1), make_network("other", seed=2)
    both = pixels(compare(options(networks=(one, other), output=tmp_path / "both")))
    single = pixels(compare(options(networks=(other,), output=tmp_path / "single")))
    assert both[2] == single[1]


def test_cells_that_are_there_are_not_drawn_again(compare, options, events):
    first = compare(options())
    before = {path: Path(path).stat().st_mtime_ns for path in first["cells"]}
    second = compare(options(seeds=(1, 2), strengths=(1.0, 0.5)))
    assert (second["pictures"], second["drawn"], second["kept"]) == (6, 4, 2)
    assert all(Path(path).stat().st_mtime_ns == time for path, time in before.items())
    assert "6 pictures of 64x64 px (3 rows of 2): 2 are there already, 4 to draw." in [
        event.message for event in events(Notice)
    ]
    assert [event.done for event in events(Progress)][-4:] == [2, 3, 4, 6]


def test_without_anything_to_draw_the_model_is_not_loaded(compare, options, monkeypatch):
    compare(options())
    monkeypatch.setattr("lib_trainer.comparison.compare.load_model", None)
    result = compare(options())
    assert (result["drawn"], result["kept"]) == (0, 2)


def test_only_the_row_of_a_replaced_network_is_drawn_again(compare, options, pixels, make_network):
    network = make_network("style", seed=1)
    first = pixels(compare(options(networks=(network,))))
    make_network("style", seed=2)
    result = compare(options(networks=(network,)))
    assert (result["drawn"], result["kept"]) == (1, 1)
    assert pixels(result)[0] == first[0]
    assert pixels(result)[1] != first[1]


def test_a_damaged_cell_is_drawn_again(compare, options, pixels):
    first = compare(options())
    drawn = pixels(first)
    Path(first["cells"][1]).write_bytes(b"")
    again = compare(options())
    assert (again["drawn"], again["kept"]) == (1, 1)
    assert pixels(again) == drawn


def test_a_stop_ends_within_one_step_keeps_what_is_drawn_and_can_be_continued(compare, options, run, monkeypatch):
    steps = []

    def sample(model, request, on_step):
        def counted(done, total):
            steps.append(done)
            if len(steps) == 5:  # of three batches of 3 steps: in the second
                run.request("stop")
            return on_step(done, total)

        return real(model, request, counted)

    real = drawing.sample
    monkeypatch.setattr(drawing, "sample", sample)
    made = options(seeds=(1, 2), batch_size=1, steps=(3,))
    stopped = compare(made)
    assert len(steps) == 5
    assert (stopped["pictures"], stopped["drawn"], len(stopped["cells"])) == (4, 1, 1)
    blank = Image.open(stopped["grid"]).tobytes()
    assert run.stop_requested(), "the worker takes the request"
    run.take_request("stop")
    continued = compare(made)
    assert (continued["drawn"], continued["kept"]) == (3, 1)
    assert Image.open(continued["grid"]).tobytes() != blank


def test_a_stop_before_anything_is_drawn_leaves_a_blank_grid(compare, options, run):
    run.request("stop")
    result = compare(options())
    assert (result["drawn"], result["cells"]) == (0, [])
    assert Path(result["grid"]).exists()


def test_each_cell_and_the_grid_are_told_when_they_are_there(compare, options, events):
    result = compare(options())
    told = [(event.kind, event.path) for event in events(Saved)]
    assert told == [*(("picture", path) for path in result["cells"]), ("grid", result["grid"])]


def test_the_plan_is_told_first_and_then_each_cell_with_its_place_and_the_text_in_its_file(compare, options, run):
    made = options(seeds=(1, 2))
    result = compare(made)
    told = [event for event in run.events_after(0)[0] if isinstance(event, (GridPlan, Cell))]
    assert told[0].rows == ["no network", "style-e001"]
    assert told[0].columns == [f"{APPLE}\nseed 1", f"{APPLE}\nseed 2"]
    assert told[0].total == 4
    assert [(event.row, event.column) for event in told[1:]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert [event.path for event in told[1:]] == result["cells"]
    for event in told[1:]:
        assert Image.open(event.path).info["parameters"] == event.parameters


def test_cells_that_are_kept_are_told_as_well_before_others_are_drawn(compare, options, events):
    compare(options())
    before = len(events(Cell))
    result = compare(options(seeds=(2, 1)))
    told = [(event.row, event.column) for event in events(Cell)[before:]]
    assert told == [(0, 1), (1, 1), (0, 0), (1, 0)]
    assert result["kept"] == 2


def test_no_half_written_file_is_left(compare, options):
    made = options()
    compare(made)
    assert {path.suffix for path in made.output.rglob("*") if path.is_file()} == {".png"}


def test_a_network_that_does_not_fit_is_named_before_anything_is_drawn(compare, options, make_network):
    from safetensors.torch import load_file, save_file

    fitting, other = make_network("fitting"), make_network("other")
    tensors = {name: torch.zeros(7, 7) if "lora_down" in name else tensor for name, tensor in load_file(other).items()}
    save_file(tensors, other)
    made = options(networks=(fitting, other))
    with pytest.raises(ModelError, match=r"other\.safetensors"):
        compare(made)
    assert list((made.output / "cells").iterdir()) == []


def test_an_output_folder_that_cannot_be_made_is_named(compare, options, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    with pytest.raises(OutputError, match=r"file.* can't be made .*choose another 'output'"):
        compare(options(output=tmp_path / "file"))


def test_too_little_memory_is_told_with_what_to_lower(compare, options, monkeypatch):
    def sample(model, request, on_step):
        raise torch.OutOfMemoryError

    monkeypatch.setattr(drawing, "sample", sample)
    with pytest.raises(TrainingError, match=r"draw 1 pictures of 64x64 px at once; lower 'batch_size'"):
        compare(options())


def test_a_row_whose_picture_cannot_be_drawn_is_named(compare, options):
    with pytest.raises(ModelError, match=r"'no network': Clip skip 12 is impossible"):
        compare(options(clip_skip=12))


def test_a_copied_output_folder_is_continued_where_it_lies_now(compare, options, tmp_path):
    made = options()
    compare(made)
    shutil.copytree(made.output, tmp_path / "copy")
    assert compare(options(output=tmp_path / "copy"))["kept"] == 2
