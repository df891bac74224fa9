"""Projects, their forms, presets and recipes, through their addresses."""

from __future__ import annotations

import json

import pytest

from lib_trainer.presets import preset_names, read_preset


def test_there_is_a_first_project_before_anything_was_made(idle, home):
    assert idle.get("projects") == {"projects": [{"name": "first", "runs": 0}]}
    assert idle.get("projects/first/form") == {"form": {}}
    assert not (home / "projects").exists()


def test_a_new_project_is_listed_and_empty(idle, home):
    assert idle.post("projects", name="Katze Nr-1_ä") == {"name": "Katze Nr-1_ä", "runs": 0}
    assert idle.get("projects")["projects"] == [{"name": "Katze Nr-1_ä", "runs": 0}]
    assert (home / "projects" / "Katze Nr-1_ä").is_dir()


@pytest.mark.parametrize("name", [
    "", " ", "a/b", "..", "a.b", "a\\b", "x" * 61, "CON", "nul", "lpt1", "a\n", "<b>", "-a", "a ",
])  # fmt: skip
def test_an_odd_name_is_refused_with_what_may_be_in_it(idle, home, name):
    told = idle.post("projects", name=name)
    assert idle.status == 400
    assert "letters, digits, spaces, - and _" in told["error"]
    assert not (home / "projects").exists()


@pytest.mark.parametrize("name", ["cats", "Cats", "command-line", "Command-Line"])
def test_a_taken_name_is_refused(idle, name):
    idle.post("projects", name="cats")
    idle.post("projects", name=name)
    assert idle.status == 409


def test_a_form_is_kept_whole(idle):
    form = {"train": {"epochs": 3, "saving": {"name": "ä 日本"}}, "open": "train"}
    idle.ask("PUT", "projects/first/form", {"form": form})
    assert idle.status == 200
    assert idle.get("projects/first/form") == {"form": form}
    idle.ask("PUT", "projects/first/form", {"form": {}})
    assert idle.get("projects/first/form") == {"form": {}}


@pytest.mark.parametrize("body", [{}, {"form": []}, {"form": None}, []])
def test_a_form_of_another_shape_is_refused_and_the_kept_one_stays(idle, body):
    idle.ask("PUT", "projects/first/form", {"form": {"a": 1}})
    idle.ask("PUT", "projects/first/form", body)
    assert idle.status == 400
    assert idle.get("projects/first/form") == {"form": {"a": 1}}


def test_a_form_that_can_not_be_kept_says_so(idle, home):
    (home / "projects").write_text("no folder", encoding="utf-8")
    told = idle.ask("PUT", "projects/first/form", {"form": {}})
    assert (idle.status, "can't be written" in told["error"]) == (400, True)


def test_a_project_with_runs_stays(idle, engine, train):
    engine("return {}")
    idle.start("train", train)
    told = idle.ask("DELETE", "projects/first", {})
    assert (idle.status, "has 1 runs" in told["error"]) == (409, True)


def test_a_deleted_project_lies_in_the_bin(idle, home):
    idle.post("projects", name="cats")
    idle.ask("PUT", "projects/cats/form", {"form": {"a": 1}})
    place = idle.ask("DELETE", "projects/cats", {})["bin"]
    assert idle.get("projects")["projects"] == [{"name": "first", "runs": 0}]
    (kept,) = (home / "bin").iterdir()
    assert str(kept) == place
    assert json.loads((kept / "form.json").read_text(encoding="utf-8")) == {"a": 1}


def test_shipped_presets_are_listed_and_read(idle):
    listed = idle.get("projects/first/presets")["presets"]
    assert [preset["name"] for preset in listed if preset["step"] == "train"] == preset_names("train")
    name = preset_names("train")[0]
    assert idle.get(f"projects/first/presets/train/{name}") == {"config": read_preset("train", name)}


def test_an_own_preset_hides_the_shipped_one_until_it_is_deleted(idle):
    name = preset_names("train")[0]
    address = f"projects/first/presets/train/{name}"
    idle.ask("PUT", address, {"config": {"epochs": 77}})
    assert idle.get(address) == {"config": {"epochs": 77}}
    listed = [preset for preset in idle.get("projects/first/presets")["presets"] if preset["name"] == name]
    assert listed == [{"name": name, "step": "train", "shipped": False}]
    idle.ask("DELETE", address, {})
    assert idle.get(address) == {"config": read_preset("train", name)}
    idle.ask("DELETE", address, {})
    assert idle.status == 404


@pytest.mark.parametrize("name", ["..", "a:b", "a\\b", ".hidden", "con", "x" * 300])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_odd_preset_name_is_refused(idle, home, method, name):
    idle.ask(method, f"projects/first/presets/train/{name}", {"config": {}})
    assert idle.status == 400
    assert list(home.rglob("*.json")) == []


def test_an_unknown_preset_or_step_is_refused(idle):
    idle.get("projects/first/presets/train/none")
    assert idle.status == 404
    idle.get("projects/first/presets/tarin/none")
    assert idle.status == 400


@pytest.mark.parametrize(("name", "text", "step"), [
    ("a.json", '{"trainable": {"type": "lora", "rank": 4}, "epochs": 3}', "train"),
    ("job.json", '{"step": "train", "config": {"epochs": 3}}', "train"),
    ("compare.json", '{"prompts": ["a cat"], "seeds": [1, 2]}', "compare"),
    ("prepare.json", '{"resize": "exact", "width": 64}', "prepare"),
    ("a.json", "{}", "train"),
    ("job.json", '{"step": "plan", "config": {"epochs": 3}}', "train"),
])  # fmt: skip
def test_a_recipe_fills_the_form_of_its_step(idle, name, text, step):
    told = idle.post("projects/first/recipe", text=text, file_name=name)
    data = json.loads(text)
    assert told == {"step": step, "config": data.get("config", data)}


@pytest.mark.parametrize(("name", "text", "said"), [
    ("a.json", "{", "a.json is not valid JSON"),
    ("a.json", "[]", "must be a table of options"),
    ("a.png", "{}", "drag in a .json or .toml"),
    ("../a.json", "{}", "can't be used"),
    ("job.json", '{"step": "nothing", "config": {}}', "Unknown step 'nothing'"),
])  # fmt: skip
def test_what_is_no_recipe_is_refused_by_its_name(idle, name, text, said):
    assert said in idle.post("projects/first/recipe", text=text, file_name=name)["error"]
    assert idle.status in (400, 415)


def test_what_the_form_can_not_take_is_told_at_its_option(idle):
    told = idle.post("projects/first/recipe", text='{"epochs": 0, "epoch": 3}', file_name="a.json")
    assert (idle.status, [one["path"] for one in told["complaints"]]) == (422, ["epoch", "epochs"])


def test_about_has_what_the_page_draws(idle):
    told = idle.get("about")
    assert (told["host"], told["user"], told["listens"]) == ("page", "", False)
    assert {"inspect", "plan", "prepare", "train", "compare"} <= set(told["steps"])
    assert told["engine_options"][0]["path"] == "python"
    assert told["presets"]["train"][0]["name"] == preset_names("train")[0]
