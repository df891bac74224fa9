"""Comparisons that the WebUI draws."""

from __future__ import annotations

import threading
import time

import pytest

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.errors import ConfigError, ModelError, StopRequested
from lib_trainer.core.events import Cell, GridPlan, Notice, Progress, Saved
from lib_trainer.core.units import Size
from lib_trainer.ui.webui.host import WebUIHost

Image = pytest.importorskip("PIL.Image")
pytestmark = pytest.mark.engine
HEADER = b"\x02\x00\x00\x00\x00\x00\x00\x00{}"  # of a safetensors file with nothing in it


@pytest.fixture
def comparing(webui, monkeypatch):
    """`comparing(**options) -> (result, events)`: draws in the faked WebUI, grey pictures unless a test says else."""
    files = [webui.checkpoints / "base.safetensors", webui.checkpoints / "other.safetensors"]
    files += [webui.lora_dir / "cat-e001.safetensors", webui.lora_dir / "cat-e002.safetensors"]
    for file in files:
        file.write_bytes(HEADER)
    webui.sd_models.list_models()
    webui.draw = lambda p: [Image.new("RGB", (p.width, p.height), "grey") for _ in p.prompt]
    webui.images.image_grid = lambda pictures, rows: webui.log.append((len(pictures), rows)) or pictures[0]
    webui.images.draw_grid_annotations = lambda grid, width, height, columns, rows: (
        webui.log.append((columns, rows)) or grid
    )
    monkeypatch.setattr("lib_trainer.ui.webui.comparison.changes_nothing", lambda network, name: False)

    def compared(run=None, **told):
        settings = {"model": files[0], "networks": (files[2], files[3]), "prompts": ("a cat", "a dog"), "steps": (4,)}
        settings |= {"output": webui.root / "out", "width": 64, "height": 64, **told}
        run = run or webui.run_of("compare")
        return WebUIHost().draw_comparison(CompareOptions(**settings), run), run.events_after(0)[0]

    return compared


def of(events, kind):
    return [event for event in events if isinstance(event, kind)]


def notices(events):
    return [event.message for event in of(events, Notice)]


def test_every_cell_is_drawn_saved_and_told(webui, comparing):
    result, events = comparing()
    assert of(events, GridPlan)[0].total == 6
    cells = of(events, Cell)
    assert [(cell.row, cell.column) for cell in cells] == [(row, column) for row in range(3) for column in range(2)]
    for cell in cells:
        with Image.open(cell.path) as picture:
            assert picture.info["parameters"] == cell.parameters
    assert (result["pictures"], result["drawn"]) == (6, 6)
    assert [progress.done for progress in of(events, Progress)] == [0, 2, 4, 6]
    assert of(events, Saved)[-1].path == result["grid"] == str(webui.root / "out" / "grid.png")
    assert (6, 3) in webui.log
    assert ([["a cat"], ["a dog"]], [["no network"], ["cat-e001"], ["cat-e002"]]) in webui.log


@pytest.mark.option("CompareOptions.networks", "CompareOptions.strengths")
def test_networks_stand_in_the_prompt_at_their_strength_and_the_first_row_has_none(webui, comparing):
    comparing(strengths=(0.5, 1.0), prompts=("a cat",))
    phrases = ["", " <lora:cat-e001:0.5>", " <lora:cat-e001:1>", " <lora:cat-e002:0.5>", " <lora:cat-e002:1>"]
    assert [p.prompt for p in webui.drawn] == [[f"a cat{phrase}"] for phrase in phrases]


def test_each_setting_reaches_the_pipeline(webui, comparing):
    comparing(
        networks=(webui.lora_dir / "cat-e001.safetensors",), prompts=("a cat",), seeds=(5, 6), cfg_scales=(3.5,),
        samplers=("DPM++ 2M Karras",), sizes=(Size(64, 128),), negative_prompt="blurry", clip_skip=2,
    )  # fmt: skip
    p = webui.drawn[0]
    assert (p.prompt, p.seed, p.batch_size, p.n_iter) == (["a cat", "a cat"], [5, 6], 2, 1)
    assert (p.sampler_name, p.scheduler, p.steps, p.cfg_scale) == ("DPM++ 2M", "Karras", 4, 3.5)
    assert (p.width, p.height, p.negative_prompt) == (64, 128, "blurry")
    assert p.override_settings["CLIP_stop_at_last_layers"] == 2
    assert p.override_settings["sd_lora"] == "None"  # what the settings add to each prompt
    assert (p.do_not_save_samples, p.do_not_save_grid) == (True, True)
    assert p.is_closed


def test_so_many_pictures_are_drawn_at_once(webui, comparing):
    comparing(seeds=(1, 2, 3), prompts=("a cat",), batch_size=2)
    assert [len(p.prompt) for p in webui.drawn] == [2, 1] * 3


def test_prompts_with_other_networks_of_their_own_are_not_drawn_together(webui, comparing):
    comparing(prompts=("a cat", "a <lyco:b:1> dog"), networks=(webui.lora_dir / "cat-e001.safetensors",))
    assert [len(p.prompt) for p in webui.drawn] == [1, 1, 1, 1]


@pytest.mark.parametrize("webui", ["A1111"], indirect=True)
@pytest.mark.option("CompareOptions.models")
def test_in_a1111_each_picture_overrides_the_checkpoint(webui, comparing):
    comparing(models=(webui.checkpoints / "other.safetensors",))
    names = [p.override_settings["sd_model_checkpoint"] for p in webui.drawn]
    assert names == ["base.safetensors"] * 3 + ["other.safetensors"] * 3
    assert webui.log.count("load") == 1  # the chosen one, at the end


@pytest.mark.parametrize("webui", ["Forge"], indirect=True)
def test_in_forge_the_checkpoint_is_chosen_once_and_the_users_choice_comes_back(webui, comparing):
    webui.shared.opts.data["sd_model_checkpoint"] = "mine"
    comparing(models=(webui.checkpoints / "other.safetensors",))
    chosen = [entry for entry in webui.log if str(entry).startswith("choose")]
    assert chosen == ["choose base.safetensors", "choose mine", "choose other.safetensors", "choose mine"]
    assert all("sd_model_checkpoint" not in p.override_settings for p in webui.drawn)


def test_a_checkpoint_outside_the_webuis_folders_is_in_its_list_only_meanwhile(webui, comparing, tmp_path):
    guest = tmp_path / "guest.safetensors"
    guest.write_bytes(HEADER)
    seen = []

    def draw(p):
        seen.append(sorted(webui.sd_models.checkpoint_aliases))
        return [Image.new("RGB", (64, 64)) for _ in p.prompt]

    webui.draw = draw
    comparing(model=guest)
    assert "guest.safetensors" in seen[0]
    assert sorted(webui.sd_models.checkpoint_aliases) == ["base.safetensors", "other.safetensors"]


def test_a_checkpoint_whose_name_is_another_ones_in_the_list_is_refused(webui, comparing, tmp_path):
    guest = tmp_path / "base.safetensors"
    guest.write_bytes(HEADER)
    with pytest.raises(ModelError, match="rename"):
        comparing(model=guest)
    assert not hasattr(webui, "drawn")


def test_a_network_that_the_webui_does_not_find_is_refused_before_anything_is_drawn(webui, comparing, tmp_path):
    network = tmp_path / "cat.safetensors"
    network.write_bytes(HEADER)
    with pytest.raises(ModelError, match="copy it there"):
        comparing(networks=(network,))
    assert not hasattr(webui, "drawn")
    assert not webui.queue_lock.locked()


def test_a_sampler_that_the_webui_would_replace_silently_is_refused(comparing):
    with pytest.raises(ConfigError, match="'Foo'"):
        comparing(samplers=("Foo",))


def test_a_size_that_the_webui_would_cut_is_refused(comparing):
    with pytest.raises(ConfigError, match="100x64"):
        comparing(sizes=(Size(100, 64),))


def test_what_the_webui_remembers_of_earlier_files_is_forgotten(webui, comparing):
    comparing()
    assert webui.processing.StableDiffusionProcessing.cached_c[0] is None
    assert ("forget files" in webui.log) == webui.forge


def test_the_users_last_prompt_is_not_kept_from_being_written_later(webui, comparing):
    comparing()
    assert webui.shared.cmd_opts.no_prompt_history is None


def test_the_webui_shows_it_as_a_task_of_its_own(webui, comparing):
    shown = []

    def draw(p):
        shown.append((webui.shared.state.job, webui.shared.state.job_count, webui.shared.state.textinfo))
        return [Image.new("RGB", (64, 64)) for _ in p.prompt]

    webui.draw = draw
    comparing()
    assert shown[0] == ("task(trainer-run-0)", 3, "Trainer: 0 of 6 pictures compared")
    assert shown[2][2] == "Trainer: 4 of 6 pictures compared"
    assert webui.progress.finished == ["task(trainer-run-0)"]
    assert webui.shared.state.job == ""


def test_one_cell_that_fails_is_told_and_the_others_are_drawn(webui, comparing):
    def draw(p):
        if "a dog" in " ".join(p.prompt):
            raise RuntimeError("out of memory")
        return [Image.new("RGB", (64, 64)) for _ in p.prompt]

    webui.draw = draw
    result, events = comparing()
    assert [(cell.row, cell.column) for cell in of(events, Cell)] == [(0, 0), (1, 0), (2, 0)]
    assert result["drawn"] == 3
    failed = [message for message in notices(events) if "stays blank" in message]
    assert len(failed) == 3
    assert "no network, a dog: RuntimeError: out of memory" in failed[0]
    assert (6, 3) in webui.log  # the grid keeps their places


def test_where_every_cell_fails_the_run_fails_with_the_first_reason(webui, comparing):
    webui.draw = lambda p: 1 / 0
    with pytest.raises(ModelError, match="ZeroDivisionError"):
        comparing()
    assert not webui.queue_lock.locked()


def test_what_the_webui_remarks_about_a_network_is_told_once(webui, comparing):
    webui.comments = "Networks with errors: cat-e001 (3)\n"
    _, events = comparing(networks=(webui.lora_dir / "cat-e001.safetensors",), seeds=(1, 2), batch_size=1)
    assert sum("Networks with errors" in message and "cat-e001:" in message for message in notices(events)) == 1


def test_a_network_of_which_nothing_fits_is_told(webui, comparing, monkeypatch):
    monkeypatch.setattr("lib_trainer.ui.webui.comparison.changes_nothing", lambda network, name: name == "cat-e002")
    _, events = comparing()
    assert [message for message in notices(events) if "nothing in this file fits" in message] == [
        "cat-e002: nothing in this file fits the model, so it changes no picture."
    ]


@pytest.mark.option("CompareOptions.precision")
def test_a_precision_that_the_webui_does_not_heed_is_told(comparing):
    _, events = comparing(precision="fp32")
    assert any("'precision' is fp32" in message for message in notices(events))
    assert not any("precision" in message for message in notices(comparing()[1]))


def test_interrupt_ends_it_as_a_stopped_run_with_a_grid_of_what_is_there(webui, comparing):
    def draw(p):
        if len(webui.drawn) == 2:
            webui.shared.state.interrupt()
        return [Image.new("RGB", (64, 64)) for _ in p.prompt]

    webui.draw = draw
    run = webui.run_of("compare")
    result, events = comparing(run)
    assert len(webui.drawn) == 2
    assert result["drawn"] == len(of(events, Cell)) == 2  # the one that was interrupted is half a picture
    assert "grid" in result
    assert run.stop_requested()
    assert not webui.shared.state.interrupted


def test_stop_interrupts_the_picture_that_is_being_drawn(webui, comparing):
    run = webui.run_of("compare")

    def draw(p):
        run.request("stop")
        for _ in range(500):
            if webui.shared.state.interrupted:
                return [Image.new("RGB", (64, 64)) for _ in p.prompt]
            time.sleep(0.01)
        raise AssertionError("nobody interrupted it")

    webui.draw = draw
    result, events = comparing(run)
    assert (len(webui.drawn), result["drawn"]) == (1, 0)
    assert "grid" not in result
    assert of(events, Cell) == []


def test_skip_leaves_a_batch_out_and_goes_on(webui, comparing):
    def draw(p):
        webui.shared.state.skipped = len(webui.drawn) == 1
        return [Image.new("RGB", (64, 64)) for _ in p.prompt]

    webui.draw = draw
    result, events = comparing()
    assert result["drawn"] == 4
    assert any(message.startswith("Skipped") for message in notices(events))


def test_a_stop_while_it_waits_for_its_turn_draws_nothing(webui, comparing):
    run = webui.run_of("compare")
    with webui.queue_lock:
        threading.Timer(0.3, run.request, ["stop"]).start()
        with pytest.raises(StopRequested):
            comparing(run)
    assert not hasattr(webui, "drawn")
    assert not webui.progress.pending_tasks
