"""Choosing the network to use."""

from __future__ import annotations

import json

import pytest

from lib_trainer.core.events import Saved
from tests.ui.api.conftest import PROJECT


@pytest.fixture
def network(make_run, picture):
    path = picture("elsewhere/style-e003.safetensors")
    make_run("train-1", events=(Saved("network", str(path), step=30, epoch=3),))
    return path


def choose(browser, network, **body):
    return browser.post(f"{PROJECT}/choose", network=str(network), **body)


def test_a_choice_is_noted_for_the_webui_and_in_the_project(browser, network):
    answer = choose(browser, network, strength=0.8, activation="openmoji style")
    beside = network.with_suffix(".json")
    phrase = "<lora:style-e003:0.8>"
    assert answer.data == {"phrase": phrase, "file": str(beside), "run": "train-1"}
    notes = json.loads(beside.read_text(encoding="utf-8"))
    assert notes == {"preferred weight": 0.8, "activation text": "openmoji style"}
    kept = {"network": str(network), "strength": 0.8, "phrase": phrase}
    assert browser.get(f"{PROJECT}/chosen").data == {"chosen": {"train-1": kept}}
    assert browser.get(f"{PROJECT}/runs/train-1").data["chosen"] == str(network)


def test_all_else_in_the_notes_is_kept(browser, network):
    known = {"description": "mine, schön", "preferred weight": 1, "activation text": "old", "own": {"a": [1]}}
    beside = network.with_suffix(".json")
    beside.write_text(json.dumps(known), encoding="utf-8-sig")
    choose(browser, network, strength=-1)
    assert json.loads(beside.read_text(encoding="utf-8")) == {**known, "preferred weight": -1.0}


@pytest.mark.parametrize("content", [b"{broken", b"[1]", b"\xff\xfe\xfa", b""])
def test_notes_that_can_not_be_read_are_left_as_they_are(browser, network, content):
    beside = network.with_suffix(".json")
    beside.write_bytes(content)
    answer = choose(browser, network, strength=1)
    assert answer.status == 409 and str(beside) in answer.error
    assert beside.read_bytes() == content
    assert browser.get(f"{PROJECT}/chosen").data == {"chosen": {}}


@pytest.mark.parametrize("strength", [4.1, -5, "1", None, True, float("nan"), [1]])
def test_a_strength_out_of_bounds_is_refused(browser, network, strength):
    answer = choose(browser, network, strength=strength)
    assert answer.status == 400 and "it must be -4 to 4" in answer.error
    assert not network.with_suffix(".json").exists()


def test_a_whole_strength_and_none_given_are_taken(browser, network):
    assert choose(browser, network, strength=1).data["phrase"] == "<lora:style-e003:1>"
    assert choose(browser, network).data["phrase"] == "<lora:style-e003:1>"


@pytest.mark.parametrize(
    ("trainable", "output", "phrase"),
    [
        ("hypernetwork", "hypernetwork", "<hypernet:style-e003:0.5>"),
        ("textual_inversion", "embedding", "style-e003"),
        ("full", "checkpoint", ""),
    ],
)
def test_what_is_no_lora_is_called_up_as_the_webui_does_it(browser, make_run, picture, trainable, output, phrase):
    path = picture("elsewhere/style-e003.safetensors")
    events = (Saved("network", str(path), step=30, epoch=3),)
    make_run("train-1", config={"trainable": {"type": trainable}}, events=events)
    assert choose(browser, path, strength=0.5).data["phrase"] == phrase
    assert browser.get(f"{PROJECT}/runs/train-1").data["output"] == output


def test_a_network_of_the_webuis_own_folder_may_be_chosen_of_no_run(guest, tmp_path, picture):
    own = picture("webui/models/Lora/sub/other.safetensors")
    answer = choose(guest, own, strength=0.5)
    assert answer.data == {"phrase": "<lora:other:0.5>", "file": str(own.with_suffix(".json")), "run": None}
    assert guest.get(f"{PROJECT}/chosen").data == {"chosen": {}}


def test_a_linked_network_is_noted_where_the_webui_lists_it(guest, tmp_path, picture):
    link = tmp_path / "webui" / "models" / "Lora" / "linked.safetensors"
    link.symlink_to(picture("other disk/real.safetensors"))
    assert choose(guest, link).data["file"] == str(link.with_suffix(".json"))


@pytest.mark.parametrize(
    "name",
    ["elsewhere/other.safetensors", "webui/models/Lora/a.png", "webui/models/Lora/../../a.safetensors", "a.json"],
)
def test_anything_else_is_refused_and_nothing_written(guest, network, picture, tmp_path, name):
    file = picture(name)
    assert choose(guest, f"{tmp_path}/{name}").status == 403
    assert file.suffix == ".json" or not file.with_suffix(".json").exists()


def test_a_network_that_went_is_named(browser, network):
    network.unlink()
    answer = choose(browser, network)
    assert answer.status == 404 and str(network) in answer.error
