"""What a training ends in."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.outputs import OUTPUTS, beside, chosen_format
from lib_trainer.core.places import output_folder
from lib_trainer.steps import output_of
from lib_trainer.trainables import TRAINABLES


def test_each_kind_goes_to_the_folder_that_the_webui_reads(tmp_path, monkeypatch):
    monkeypatch.setenv("LIB_TRAINER_DATA", str(tmp_path))
    folders = {output: output_folder(output).relative_to(tmp_path).as_posix() for output in OUTPUTS}
    assert folders == {
        "lora": "models/Lora", "checkpoint": "models/Stable-diffusion", "embedding": "embeddings",
        "hypernetwork": "models/hypernetworks",
    }  # fmt: skip


def test_a_prompt_calls_each_kind_up_as_the_webui_reads_it():
    phrases = [kind.named("fox-e003", 0.8) for kind in OUTPUTS.values()]
    assert phrases == ["<lora:fox-e003:0.8>", "", "fox-e003", "<hypernet:fox-e003:0.8>"]


@pytest.mark.parametrize("output", list(OUTPUTS))
def test_the_usual_format_is_the_first_and_each_other_must_be_in_the_table(output):
    formats = OUTPUTS[output].formats
    assert chosen_format(output, "auto") == formats[0]
    assert [chosen_format(output, wished) for wished in formats] == list(formats)
    for odd in {"safetensors", "ckpt", "pt", "diffusers"} - set(formats):
        with pytest.raises(ConfigError, match="set it to auto"):
            chosen_format(output, odd)


def test_what_lies_beside_keeps_dots_of_a_folders_name():
    assert beside(Path("a/v1.5-e001.safetensors"), ".json") == Path("a/v1.5-e001.json")
    assert beside(Path("a/v1.5-e001"), ".preview.png") == Path("a/v1.5-e001.preview.png")


def test_a_trainables_kind_is_told_by_its_name_or_its_options():
    for name, entry in TRAINABLES:
        assert output_of(name) == output_of({"type": name, "rank": 3}) == entry.output
    assert output_of(None) == output_of("nonsense") == "lora"
