import json

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from dataclasses import replace  # noqa: E402

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.sd1_settings import Settings, read_settings  # noqa: E402
from tests.models.miniature import FULL, MINIATURE  # noqa: E402


@pytest.fixture
def model(tmp_path):
    return tmp_path / "model.safetensors"


def configure(model, params):
    model.with_suffix(".yaml").write_text(json.dumps({"model": {"params": params}}), encoding="utf-8")  # JSON is YAML


def encoder(folder, **config):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")


def test_without_a_configuration_the_familys_rule_holds(model):
    assert read_settings(model, FULL) == Settings(unet_heads=(8, 8, 8, 8), text_heads=12)


def test_the_configuration_gives_heads_schedule_prediction_and_factor(model):
    params = {"parameterization": "v", "linear_start": 0.001, "linear_end": 0.02, "timesteps": 500, "scale_factor": 0.3}
    configure(model, {**params, "unet_config": {"params": {"num_heads": 4}}})
    expected = Settings((4, 4), 1, prediction="v", first_beta=0.001, last_beta=0.02, timesteps=500, latent_factor=0.3)
    assert read_settings(model, MINIATURE) == expected


def test_heads_of_one_width_grow_in_number_with_the_level(model):
    configure(model, {"unet_config": {"params": {"num_heads": -1, "num_head_channels": 16}}})
    assert read_settings(model, MINIATURE).unet_heads == (2, 4)


def test_the_text_encoders_folder_is_found_beside_the_configuration(model):
    encoder(model.parent / "clip", num_attention_heads=4, hidden_act="gelu")
    configure(model, {"cond_stage_config": {"params": {"version": "clip"}}})
    settings = read_settings(model, MINIATURE)
    assert (settings.text_heads, settings.text_activation) == (4, "gelu")


def test_a_text_encoder_folder_that_is_not_there_is_named(model):
    configure(model, {"cond_stage_config": {"params": {"version": "PLACEHOLDER"}}})
    with pytest.raises(ModelError, match=r"names the text encoder 'PLACEHOLDER', but .*config\.json can't be used"):
        read_settings(model, MINIATURE)


def test_a_text_encoder_that_the_rule_does_not_fit_asks_for_a_configuration(model):
    narrow = replace(MINIATURE, text=replace(MINIATURE.text, width=96))
    with pytest.raises(ModelError, match=r"96 wide\) can't be told.*model\.yaml"):
        read_settings(model, narrow)


@pytest.mark.parametrize("heads", [0, 5])
def test_heads_that_do_not_divide_the_width_are_refused(model, heads):
    configure(model, {"unet_config": {"params": {"num_heads": heads}}})
    with pytest.raises(ModelError, match=f"{heads} attention heads for 32 channels, which don't divide"):
        read_settings(model, MINIATURE)


@pytest.mark.parametrize(
    "text",
    [
        "model: [",
        "model: {params: {timesteps: many}}",
        "model: {params: [1]}",
        "just a sentence",
        "!!python/object/apply:os.getcwd []",
    ],
)
def test_a_configuration_that_is_none_is_refused_and_nothing_in_it_is_run(model, text):
    model.with_suffix(".yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"model's configuration .*model\.yaml"):
        read_settings(model, MINIATURE)
