"""The files of a run: their names, what lies beside them, and full disks."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from PIL import Image  # noqa: E402
from safetensors import safe_open  # noqa: E402

from lib_trainer.core.errors import ConfigError, OutputError  # noqa: E402
from lib_trainer.core.places import DATA_VARIABLE  # noqa: E402
from lib_trainer.training.outputs import identity, remove_leftovers  # noqa: E402
from tests.training.runs import equal  # noqa: E402

PREVIEW = {"prompts": ["a cat"], "steps": 1, "cfg_scale": 1}


def header(path):
    with safe_open(path, "pt") as file:
        return file.metadata()


def sorted_names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.option("SavingOptions.folder", "SavingOptions.name")
def test_files_lie_in_the_folder_under_the_name_that_is_told_with_the_epochs_completed(runs, tmp_path):
    saving = {"folder": str(tmp_path / "loras"), "name": "emoji", "every": "2 steps"}
    run = runs.train({"saving": saving, "epochs": 2, "max_steps": 7})
    assert sorted(path.name for path in (tmp_path / "loras").glob("*.safetensors")) == [
        "emoji-e000-s000002.safetensors",
        "emoji-e001-s000006.safetensors",
        "emoji-e001-s000007.safetensors",
        "emoji-e001.safetensors",
    ]
    assert run.result["networks"] == [str(tmp_path / "loras" / name) for _, name in run.saved("network")]


@pytest.mark.option("SavingOptions.name")
def test_without_a_name_files_are_called_like_the_folder_of_pictures(runs):
    assert [path.name for path in runs.train({"saving": {"name": ""}}).networks] == ["pictures-e001.safetensors"]


@pytest.mark.parametrize("name", ["a/b", "..\\b", "C:x", "what?", "a<b"])
def test_a_name_that_no_file_can_have_is_refused(runs, name):
    with pytest.raises(ConfigError, match=r"'saving\.name' is .* can't be in a file's name"):
        runs.options({"saving": {"name": name}})


@pytest.mark.option("SavingOptions.folder")
def test_without_a_folder_files_lie_in_models_lora(runs, tmp_path, monkeypatch):
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "own"))
    run = runs.train({"saving": {"folder": None}, "max_steps": 1})
    assert [Path(path).parent for path in run.result["networks"]] == [tmp_path / "own" / "models" / "Lora"]


@pytest.mark.option("SavingOptions.format")
@pytest.mark.parametrize("wished", ["ckpt", "pt", "diffusers"])
def test_a_lora_is_written_as_safetensors_and_another_format_is_refused(runs, wished):
    assert runs.options({"saving": {"format": "safetensors"}}).file_format == "safetensors"
    said = rf"'saving\.format' is '{wished}', in which no LoRA is written; set it to auto"
    with pytest.raises(ConfigError, match=said):
        runs.options({"saving": {"format": wished}})


def test_a_folder_that_can_not_be_written_to_is_refused_at_once(runs, tmp_path):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match=r"can't be written to .*; set 'saving\.folder' to another one"):
        runs.train({"saving": {"folder": str(tmp_path / "file" / "loras")}})


def test_a_second_run_of_the_same_name_gets_a_name_of_its_own_and_the_first_ones_files_stay(runs, tmp_path):
    told = {"saving": {"folder": str(tmp_path / "loras")}}
    first = runs.train(told, "first")
    before = {path: path.read_bytes() for path in (tmp_path / "loras").iterdir()}
    second, third = runs.train({**told, "seed": 1}, "second"), runs.train({**told, "seed": 2}, "third")
    assert [run.result["name"] for run in (first, second, third)] == ["net", "net-2", "net-3"]
    assert "this one is called 'net-2'" in second.messages
    assert {path: path.read_bytes() for path in before} == before
    assert len(list((tmp_path / "loras").glob("*.safetensors"))) == 3


def test_a_resumed_run_keeps_its_name(runs):
    told = {"saving": {"every": "1 epoch"}, "epochs": 2}
    runs.train(told, stop_at=5)
    run = runs.train(told)
    assert run.result["name"] == "net"
    assert [path.stem for path in run.networks] == ["net-e001", "net-e002"]


def test_a_name_with_signs_of_patterns_is_taken_as_it_is(run, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a1-e001.safetensors").touch()
    assert identity(run, tmp_path / "out", "a[1]").name == "a[1]"
    (tmp_path / "out" / "b[1]-e001.safetensors").touch()
    run.path.joinpath("identity.json").unlink()
    assert identity(run, tmp_path / "out", "b[1]").name == "b[1]-2"


def test_what_a_killed_engine_had_begun_to_write_is_removed_and_nothing_else(run, tmp_path):
    out = tmp_path / "out"
    known = identity(run, out, "net")
    left = [out / "net-e001.safetensors.7.tmp", run.states / "state-00000001.pt.7.tmp", run.samples / "x.png.7.tmp"]
    kept = [out / "net-2-e001.safetensors.7.tmp", out / "net-e001.safetensors", out / "mine.tmp", out / "net-extra.tmp"]
    for path in left + kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    remove_leftovers(run, known)
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


@pytest.mark.option("SavingOptions.precision")
@pytest.mark.parametrize("name", ["fp16", "bf16", "fp32"])
def test_all_tensors_of_a_file_have_the_format_that_is_told(runs, name):
    wanted = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}[name]
    exact = runs.train({"max_steps": 1}, "exact").tensors()
    tensors = runs.train({"max_steps": 1, "saving": {"precision": name}}, name).tensors()
    assert equal(tensors, {key: tensor.to(wanted) for key, tensor in exact.items()})


@pytest.mark.option("SavingOptions.layer_names")
def test_the_layers_are_named_by_diffusers_or_as_in_the_checkpoint(runs):
    """The same weights: the names of kohya's files, or those that the WebUI knows the modules of any model by."""
    one, other = (
        runs.train({"max_steps": 1, "trainable": {"conv_rank": 1}, "saving": {"layer_names": name}}, name).tensors()
        for name in ("kohya", "original")
    )
    assert "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight" in one
    assert "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q.lora_up.weight" in other
    for ours, theirs in (
        ("down_blocks_0_resnets_0_conv1", "input_blocks_1_0_in_layers_2"),
        ("up_blocks_1_resnets_1_time_emb_proj", "output_blocks_3_0_emb_layers_1"),
        ("mid_block_attentions_0_proj_in", "middle_block_1_proj_in"),
    ):
        for part in ("lora_up.weight", "lora_down.weight", "alpha"):
            assert torch.equal(one[f"lora_unet_{ours}.{part}"], other[f"lora_unet_{theirs}.{part}"])
    assert len(one) == len(other)


@pytest.mark.option("SavingOptions.every")
@pytest.mark.parametrize(
    ("every", "steps"),
    [("1 epoch", [4, 8, 12]), ("2 epochs", [8, 12]), ("5 steps", [5, 10, 12]), ("never", [12])],
)
def test_networks_are_saved_as_often_as_told_and_at_the_end(runs, every, steps):
    run = runs.train({"saving": {"every": every}, "epochs": 3})
    assert [step for step, _ in run.saved("network")] == steps
    assert len(run.networks) == len(steps)


@pytest.mark.option("SavingOptions.state_every")
@pytest.mark.parametrize(("every", "steps"), [("1 epoch", [4, 8]), ("3 steps", [3, 6]), ("never", [])])
def test_states_are_saved_as_often_as_told_and_one_is_kept(runs, every, steps):
    run = runs.train({"saving": {"state_every": every}, "epochs": 2})
    assert [step for step, _ in run.saved("state")] == steps
    assert len(list(run.directory.states.glob("*"))) == min(1, len(steps))


def test_the_trigger_lies_beside_the_network_as_activation_text(runs):
    run = runs.train({"dataset": {"trigger": "sks"}})
    told = json.loads((run.out / "net-e001.json").read_text(encoding="utf-8"))
    assert told["activation text"] == "sks"
    assert told["sd version"] == "SD1"
    assert told["description"] == "Trained on pictures."
    assert set(told) == {"description", "sd version", "activation text", "preferred weight", "notes"}


def test_the_first_preview_lies_beside_the_network(runs):
    run = runs.train({"previews": {**PREVIEW, "prompts": ["a cat", "a dog"]}})
    beside, drawn = run.out / "net-e001.preview.png", run.directory.samples / "e001-s000004-1.png"
    assert beside.read_bytes() == drawn.read_bytes()
    assert Image.open(beside).info["parameters"].startswith("a cat\n")


def test_without_a_preview_nothing_is_laid_beside(runs):
    assert sorted_names(runs.train().out) == ["net-e001.json", "net-e001.safetensors"]


@pytest.mark.parametrize("ending", [".png", ".preview.png", ".json"])
def test_what_a_user_has_beside_a_network_is_never_overwritten(runs, ending):
    """It is there before the run resumes and makes the file of that name."""
    told = {"previews": PREVIEW}
    run = runs.train(told, stop_at=2)
    (run.out / f"net-e001{ending}").write_text("mine", encoding="utf-8")
    runs.train(told)
    assert (run.out / f"net-e001{ending}").read_text(encoding="utf-8") == "mine"
    assert (run.out / "net-e001.preview.png").exists() == (ending != ".png")
    assert len(run.networks) == 1


def test_the_header_names_the_file_and_what_it_was_trained_with(runs):
    told = {
        "accumulate": 2,
        "learning_rate": 2e-3,
        "text_encoder_learning_rate": 1e-4,
        "schedule": "cosine",
        "optimizer": {"weight_decay": 0.2},
        "diffusion": {"noise_offset": 0.05, "min_snr_gamma": 5, "prediction": "v"},
        "dataset": {"repeats": 3, "trigger": "sks"},
        "trainable": {"conv_rank": 4},
        "clip_skip": 2,
        "seed": 5,
    }
    run = runs.train(told)
    found = header(run.networks[0])
    expected = {
        "ss_output_name": "net-e001",
        "ss_learning_rate": "0.002",
        "ss_unet_lr": "0.002",
        "ss_text_encoder_lr": "0.0001",
        "ss_lr_scheduler": "cosine",
        "ss_noise_offset": "0.05",
        "ss_min_snr_gamma": "5.0",
        "ss_gradient_accumulation_steps": "2",
        "ss_batch_size_per_device": "2",
        "ss_mixed_precision": "fp32",
        "ss_clip_skip": "2",
        "ss_seed": "5",
        "ss_epoch": "1",
        "ss_steps": "6",
        "ss_num_train_images": "21",
        "ss_sd_model_name": "miniature.safetensors",
        "ss_network_dim": "2",
        "ss_network_alpha": "2.0",
        "modelspec.prediction_type": "v",
        "modelspec.trigger_phrase": "sks",
    }
    assert {name: found.get(name) for name in expected} == expected
    assert json.loads(found["ss_network_args"])["conv_dim"] == "4"
    assert '"weight_decay": 0.2' in found["ss_optimizer"]
    buckets = json.loads(found["ss_bucket_info"])["buckets"].values()
    assert [(bucket["resolution"], bucket["count"]) for bucket in buckets] == [([48, 80], 3), ([64, 64], 4)]
    assert json.loads(found["ss_dataset_dirs"]) == {"pictures": {"n_repeats": 3, "img_count": 7}}
    assert json.loads(found["ss_tag_frequency"])["pictures"]["on grass"] == 7


def test_each_epoch_and_run_has_an_alias_of_its_own(runs, tmp_path):
    """The WebUI finds a network by `ss_output_name` too, so no two files may share it."""
    told = {"saving": {"folder": str(tmp_path / "loras"), "every": "1 epoch"}, "epochs": 2}
    runs.train(told, "one")
    runs.train(told, "two")
    files = list((tmp_path / "loras").glob("*.safetensors"))
    assert len(files) == 4
    assert {header(path)["ss_output_name"] for path in files} == {path.stem for path in files}


def test_folders_of_one_name_are_counted_together_not_lost(runs, things, tmp_path):
    for place in ("a/same", "b/same"):
        shutil.copytree(things / "aside", tmp_path / "pictures" / place)
    found = header(runs.train({"dataset": {"folder": str(tmp_path / "pictures")}, "max_steps": 1}).networks[0])
    assert json.loads(found["ss_dataset_dirs"])["same"]["img_count"] == 4
