"""Whether the WebUI shows a LoRA, and if not, why."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from lib_trainer.core.errors import ModelError
from lib_trainer.ui.webui.host import WebUIHost
from lib_trainer.ui.webui.lists import changes_nothing, prompt_name


def lora(webui, name="cat-e001", folder=None):
    """A new file."""
    path = (folder or webui.lora_dir) / f"{name}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def shown(webui, path):
    return WebUIHost().refresh(path, "lora")


def test_a_new_file_is_listed_and_shown(webui):
    seen = shown(webui, lora(webui))
    assert seen.shown
    assert "<lora:cat-e001:1>" in seen.why
    assert webui.log == ["list networks"]


def test_a_file_that_is_listed_already_costs_no_second_look(webui):
    path = lora(webui)
    shown(webui, path)
    shown(webui, path)
    assert webui.log == ["list networks"]


def test_a_file_elsewhere_is_not_shown_and_the_folder_is_named(webui, tmp_path):
    seen = shown(webui, lora(webui, folder=tmp_path / "elsewhere"))
    assert not seen.shown
    assert str(webui.lora_dir) in seen.why


def test_a_file_that_vanished_is_not_shown(webui):
    seen = shown(webui, webui.lora_dir / "gone.safetensors")
    assert (seen.shown, "not there" in seen.why) == (False, True)


def test_of_two_files_with_one_name_the_hidden_one_is_told(webui):
    hidden, wins = lora(webui, folder=webui.lora_dir / "a"), lora(webui, folder=webui.lora_dir / "b")
    assert shown(webui, wins).shown
    seen = shown(webui, hidden)
    assert not seen.shown
    assert str(wins) in seen.why


def test_a_file_in_a_hidden_folder_is_told_where_the_settings_skip_those(webui):
    path = lora(webui, folder=webui.lora_dir / ".hidden")
    webui.shared.opts.data["list_hidden_files"] = False
    webui.networks.list_available_networks = lambda: None
    seen = shown(webui, path)
    assert (seen.shown, "hidden folder" in seen.why) == (False, True)


def test_a_name_that_no_prompt_can_hold_is_refused(webui):
    with pytest.raises(ModelError, match="rename"):
        prompt_name(lora(webui, name="a<b"))


def test_an_alias_that_others_share_does_not_hide_the_file(webui):
    path = lora(webui)
    webui.networks.list_available_networks()
    webui.networks.available_network_aliases.clear()
    webui.networks.forbidden_network_aliases["cat-e001"] = 1
    assert prompt_name(path) == "cat-e001"


def test_without_the_webuis_extension_for_loras_nothing_is_shown(webui, monkeypatch):
    monkeypatch.setitem(sys.modules, "networks", None)
    seen = shown(webui, lora(webui))
    assert (seen.shown, "switched off" in seen.why) == (False, True)


def test_a1111_hides_cards_for_another_kind_of_model(a1111):
    a1111.version = "SDXL"
    seen = shown(a1111, lora(a1111))
    assert not seen.shown
    assert "SDXL" in seen.why
    assert "SD1" in seen.why
    a1111.shared.opts.data["lora_show_all"] = True
    assert shown(a1111, a1111.lora_dir / "cat-e001.safetensors").shown


def test_the_cards_own_note_says_which_model_it_is_for(a1111):
    a1111.version = "SDXL"
    a1111.notes = {"cat-e001": {"sd version": "SD1"}}
    assert shown(a1111, lora(a1111)).shown


def test_a_file_of_unknown_kind_is_hidden_only_where_the_settings_say_so(a1111):
    a1111.version = "Unknown"
    path = lora(a1111)
    assert shown(a1111, path).shown
    a1111.shared.opts.data["lora_hide_unknown_for_versions"] = ["SD1"]
    assert not shown(a1111, path).shown


def test_while_a_run_has_the_card_the_model_from_before_counts(a1111):
    a1111.version = "SDXL"
    host = WebUIHost()
    with host.holding_the_card(a1111.run_of("train")):
        seen = host.refresh(lora(a1111), "lora")
    assert (seen.shown, "SD1" in seen.why) == (False, True)


def test_forge_hides_cards_that_its_preset_is_not_for(forge):
    path = lora(forge)
    assert shown(forge, path).shown
    forge.shared.opts.data["forge_preset"] = "xl"
    seen = shown(forge, path)
    assert not seen.shown
    assert "'xl'" in seen.why
    forge.shared.opts.data["forge_preset"] = "all"
    assert shown(forge, path).shown


def test_a_file_of_which_nothing_fitted_is_noticed_in_a1111(a1111):
    path = lora(a1111)
    net = SimpleNamespace(name="cat-e001", modules={"a": 1}, bundle_embeddings={})
    a1111.networks.loaded_networks = [net]
    assert not changes_nothing(path, "cat-e001")
    net.modules = {}
    assert changes_nothing(path, "cat-e001")
    net.bundle_embeddings = {"word": 1}
    assert not changes_nothing(path, "cat-e001")


def test_a_file_of_which_nothing_fitted_is_noticed_in_forge(forge):
    path = lora(forge)
    patches = {(str(path), 1.0, 1.0, False): {"weight": []}}
    objects = SimpleNamespace(
        unet=SimpleNamespace(lora_patches={}), clip=SimpleNamespace(patcher=SimpleNamespace(lora_patches=patches))
    )
    forge.model.forge_objects_after_applying_lora = objects
    assert not changes_nothing(path, "cat-e001")
    patches.clear()
    assert changes_nothing(path, "cat-e001")
