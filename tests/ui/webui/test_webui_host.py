"""What the page is told of the WebUI that it lives in."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.core.configs import dump
from lib_trainer.demo.places import MODEL
from lib_trainer.ui.host import Checkpoint
from lib_trainer.ui.webui.host import WebUIHost, others_can_reach
from lib_trainer.ui.webui.settings import GENERATE, LORA_FOLDER, SECTION, add_settings


def options(tmp_path, model, network="a.safetensors"):
    return CompareOptions(
        model=model, networks=(tmp_path / network,), output=tmp_path / "out", prompts=("a cat",)
    )


def test_it_says_which_webui_it_is(a1111):
    assert (WebUIHost().name, WebUIHost().version) == ("A1111", "v1.10.1")


def test_forge_is_told_from_a1111_by_how_it_loads_models(forge):
    assert WebUIHost().name == "Forge"


def test_checkpoints_are_those_of_the_webuis_list(webui):
    (webui.checkpoints / "a.safetensors").write_bytes(b"")
    webui.sd_models.list_models()
    assert WebUIHost().checkpoints() == [Checkpoint("a.safetensors [abc]", webui.checkpoints / "a.safetensors")]


def test_the_loaded_checkpoint_is_told_and_the_chosen_one_while_none_is(webui):
    (webui.checkpoints / "a.safetensors").write_bytes(b"")
    (webui.checkpoints / "b.safetensors").write_bytes(b"")
    webui.sd_models.list_models()
    webui.model.sd_checkpoint_info = webui.sd_models.checkpoint_aliases["a.safetensors"]
    webui.shared.opts.data["sd_model_checkpoint"] = "b.safetensors"
    assert WebUIHost().loaded_checkpoint() == "a.safetensors [abc]"
    webui.sd_models.model_data.sd_model = None
    assert WebUIHost().loaded_checkpoint() == "b.safetensors [abc]"
    webui.shared.opts.data["sd_model_checkpoint"] = "vanished.safetensors"
    assert WebUIHost().loaded_checkpoint() is None


def test_folders_are_those_of_the_webuis_flags(webui):
    assert WebUIHost().folders() == {
        "lora": webui.lora_dir,
        "checkpoint": webui.checkpoints,
        "embedding": webui.root / "embeddings",
        "hypernetwork": webui.root / "hypernetworks",
    }
    webui.shared.cmd_opts.ckpt_dir = "/models"
    assert WebUIHost().folders()["checkpoint"] == Path("/models")


def test_the_setting_names_another_folder_for_loras(webui, tmp_path):
    webui.shared.opts.data[LORA_FOLDER] = f" {tmp_path / 'mine'} "
    assert WebUIHost().folders()["lora"] == tmp_path / "mine"
    webui.shared.opts.data[LORA_FOLDER] = "models/Lora/mine"
    assert WebUIHost().folders()["lora"] == webui.lora_dir / "mine"


def test_where_others_can_reach_the_page_a_folder_outside_is_not_used_and_that_is_told(webui, tmp_path):
    webui.shared.opts.data[LORA_FOLDER] = str(tmp_path / "mine")
    webui.shared.cmd_opts.listen = True
    host = WebUIHost()
    assert host.folders()["lora"] == webui.lora_dir
    (note,) = host.notes()
    assert str(tmp_path / "mine") in note
    webui.shared.cmd_opts.trainer_any_folder = True
    assert WebUIHost().folders()["lora"] == tmp_path / "mine"
    assert WebUIHost().notes() == []


OPEN = [("listen", True), ("share", True), ("ngrok", "key"), ("server_name", "0.0.0.0")]


@pytest.mark.parametrize(("flag", "value"), OPEN)
def test_others_can_reach_a_webui_with_these_flags(webui, flag, value):
    assert not others_can_reach(webui.shared.cmd_opts)
    assert WebUIHost().any_folder
    setattr(webui.shared.cmd_opts, flag, value)
    assert others_can_reach(webui.shared.cmd_opts)
    assert WebUIHost().listens
    assert not WebUIHost().any_folder


def test_the_computers_own_names_are_not_open_to_others(webui):
    webui.shared.cmd_opts.server_name = "127.0.0.1"
    assert not others_can_reach(webui.shared.cmd_opts)


def test_flags_of_ours_are_used(webui, tmp_path):
    webui.shared.cmd_opts.trainer_python = str(tmp_path / "python")
    assert WebUIHost().python == tmp_path / "python"


def test_the_credentials_of_the_webuis_script_api_hold_for_ours(webui):
    assert WebUIHost().api_credentials() == {}
    webui.shared.cmd_opts.api_auth = "anna:se:cret,bert:word"
    assert WebUIHost().api_credentials() == {"anna": "se:cret", "bert": "word"}


def test_settings_stand_in_a_section_of_their_own(webui):
    add_settings()
    labels = webui.shared.opts.data_labels
    assert {labels[GENERATE].section, labels[LORA_FOLDER].section} == {SECTION}
    assert (webui.shared.opts.data[GENERATE], webui.shared.opts.data[LORA_FOLDER]) == (False, "")
    assert WebUIHost().folders()["lora"] == webui.lora_dir


def test_the_webui_draws_with_checkpoint_files_but_not_with_folders_or_the_demos_own_file(webui, tmp_path):
    host = WebUIHost()
    assert host.draws(options(tmp_path, tmp_path / "a.safetensors"))
    assert host.draws(options(tmp_path, tmp_path / "a.CKPT"))
    assert not host.draws(options(tmp_path, tmp_path / "a-folder"))
    assert not host.draws(options(tmp_path, MODEL))


def test_the_webui_draws_with_loras_alone(webui, tmp_path):
    host, model = WebUIHost(), tmp_path / "a.safetensors"
    (tmp_path / "epochs").mkdir()
    for folder, name, wanted in ((tmp_path / "epochs", "e1.safetensors", True), (tmp_path / "epochs", "e2.pt", False)):
        (folder / name).touch()
        assert host.draws(options(tmp_path, model, "epochs")) == wanted
    assert not host.draws(options(tmp_path, model, "epochs/e2.pt"))
    for name, wanted in (("lora_unet_mid.lora_down.weight", True), ("64.0.linear.0.weight", False)):
        header = json.dumps({name: {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
        file = tmp_path / "named.safetensors"
        file.write_bytes(len(header).to_bytes(8, "little") + header + bytes(4))
        assert host.draws(options(tmp_path, model, file.name)) == wanted


def test_the_engine_draws_what_the_webui_can_not(webui, tmp_path):
    run = webui.run_of("compare", dump(options(tmp_path, MODEL)))
    assert WebUIHost().draw_comparison(options(tmp_path, MODEL), run) is None


def test_the_card_is_held_for_a_training_and_for_what_the_engine_draws_only(webui, tmp_path):
    host = WebUIHost()
    own = webui.run_of("compare", dump(options(tmp_path, tmp_path / "a.safetensors")))
    engines = webui.run_of("compare", dump(options(tmp_path, MODEL)))
    assert isinstance(host.holding_the_card(own), nullcontext)
    for run in (engines, webui.run_of("train")):
        with host.holding_the_card(run):
            assert host.holds
    assert not host.holds


def test_forge_keeps_the_demos_model_where_it_is(forge):
    assert WebUIHost().lend_demo() == MODEL


def test_a1111_gets_the_demos_model_with_all_that_loading_needs(a1111):
    host = WebUIHost()
    lent = host.lend_demo()
    assert lent.read_bytes() == MODEL.read_bytes()
    assert [known.path for known in host.checkpoints()] == [lent]
    clip = lent.parent / "clip"
    assert sorted(file.name for file in clip.iterdir()) == ["config.json", "merges.txt", "vocab.json"]
    assert f'version: "{clip}"' in lent.with_suffix(".yaml").read_text(encoding="utf-8")


def test_lending_the_demos_model_again_repairs_what_is_damaged_and_leaves_the_rest(a1111):
    lent = WebUIHost().lend_demo()
    before = lent.stat().st_mtime_ns
    lent.with_suffix(".yaml").write_text("broken", encoding="utf-8")
    WebUIHost().lend_demo()
    assert lent.stat().st_mtime_ns == before
    assert "version:" in lent.with_suffix(".yaml").read_text(encoding="utf-8")
