"""Each option changes what a comparison draws; the impossible is refused when the options are made."""

from __future__ import annotations

import shutil

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("torch")

from lib_trainer.comparison.options import CompareOptions  # noqa: E402
from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.core.events import Progress  # noqa: E402
from lib_trainer.core.units import Size  # noqa: E402
from tests.comparison.conftest import APPLE, FOX, MODEL  # noqa: E402

ROWS = 2  # the model alone, and one network


@pytest.fixture
def other_model(tmp_path):
    """The shipped model with another last bias."""
    from safetensors.torch import load_file, save_file

    path = tmp_path / "other" / "other.safetensors"
    shutil.copytree(MODEL.parent / "clip", path.parent / "clip")
    shutil.copy(MODEL.with_suffix(".yaml"), path.with_suffix(".yaml"))
    tensors = load_file(MODEL)
    tensors["model.diffusion_model.out.2.bias"] += 0.2
    save_file(tensors, path)
    return path


@pytest.mark.option("CompareOptions.model")
def test_the_pictures_are_drawn_with_the_model_given(compare, options, pixels, other_model):
    assert pixels(compare(options()))[0] != pixels(compare(options(model=other_model)))[0]


@pytest.mark.option("CompareOptions.models")
def test_each_further_model_draws_all_rows_with_its_own_weights(compare, options, pixels, other_model, tmp_path):
    both = pixels(compare(options(models=(other_model,), output=tmp_path / "both")))
    assert both == pixels(compare(options())) + pixels(compare(options(model=other_model)))
    assert len(set(both)) == 4


@pytest.mark.option("CompareOptions.networks")
def test_each_network_has_a_row_of_its_own_pictures(compare, options, pixels, make_network):
    networks = (make_network("style-e001", seed=1), make_network("style-e002", seed=2))
    drawn = pixels(compare(options(networks=networks)))
    assert len(drawn) == len(set(drawn)) == 3


@pytest.mark.option("CompareOptions.output")
def test_grid_and_cells_lie_in_the_output_folder(compare, options, tmp_path):
    result = compare(options(output=tmp_path / "elsewhere"))
    assert result["grid"] == str(tmp_path / "elsewhere" / "grid.png")
    found = sorted(str(path) for path in (tmp_path / "elsewhere" / "cells").iterdir())
    assert found == sorted(result["cells"])


@pytest.mark.option("CompareOptions.prompts")
def test_each_prompt_has_a_column(compare, options, pixels):
    drawn = pixels(compare(options(prompts=(APPLE, FOX))))
    assert len(drawn) == len(set(drawn)) == ROWS * 2


@pytest.mark.option("CompareOptions.search", "CompareOptions.replacements")
def test_a_prompt_is_drawn_as_it_is_and_with_each_replacement(compare, options, pixels, tmp_path):
    made = options(search="red apple", replacements=("fox", "cat"))
    prompts = (APPLE, APPLE.replace("red apple", "fox"), APPLE.replace("red apple", "cat"))
    assert pixels(compare(made)) == pixels(compare(options(prompts=prompts, output=tmp_path / "written out")))
    assert len(set(pixels(compare(made)))) == ROWS * 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prompts": (APPLE, FOX), "search": "apple", "replacements": ("pear",)}, "'apple', which is not in .*fox"),
        ({"search": "apple"}, "'replacements' is empty, but 'search' is given"),
        ({"replacements": ("apple",)}, "'search' is empty, but 'replacements' is given"),
        ({"search": "apple", "replacements": ("apple",)}, f"make the prompt {APPLE} twice"),
        ({"search": "apple", "replacements": ("pear", "pear")}, "'replacements' has pear twice"),
        ({"models": (MODEL,)}, "'models', with 'model', has .* twice"),
    ],
)
def test_a_search_or_a_model_that_makes_no_sense_is_refused(options, changes, said):
    with pytest.raises(ConfigError, match=said):
        options(**changes)


@pytest.mark.option("CompareOptions.strengths")
def test_each_strength_has_a_row(compare, options, pixels):
    drawn = pixels(compare(options(strengths=(0.5, 1.0, -1.0))))
    assert len(drawn) == len(set(drawn)) == 4


@pytest.mark.option("CompareOptions.seeds")
def test_each_seed_has_a_column(compare, options, pixels):
    drawn = pixels(compare(options(seeds=(1, 2))))
    assert len(drawn) == len(set(drawn)) == ROWS * 2


@pytest.mark.option("CompareOptions.cfg_scales")
def test_each_cfg_scale_has_a_column(compare, options, pixels):
    drawn = pixels(compare(options(cfg_scales=(1.0, 4.0))))
    assert len(drawn) == len(set(drawn)) == ROWS * 2


@pytest.mark.option("CompareOptions.steps")
def test_each_number_of_steps_has_a_column(compare, options, pixels):
    drawn = pixels(compare(options(steps=(2, 3))))
    assert len(drawn) == len(set(drawn)) == ROWS * 2


@pytest.mark.option("CompareOptions.samplers")
def test_each_sampler_has_a_column(compare, options, pixels):
    drawn = pixels(compare(options(samplers=("Euler", "Euler a"))))
    assert len(drawn) == len(set(drawn)) == ROWS * 2


def test_a_sampler_that_the_engine_does_not_have_is_refused_with_those_it_has(compare, options):
    with pytest.raises(ConfigError, match=r"'Eular'; each must be one of DPM\+\+ 2M, .*Did you mean 'Euler'"):
        compare(options(samplers=("Euler", "Eular")))


@pytest.mark.option("CompareOptions.sizes")
def test_each_size_has_a_column_in_the_place_of_width_and_height(compare, options):
    from PIL import Image

    result = compare(options(sizes=(Size(64, 72), Size(96, 64))))
    assert [Image.open(path).size for path in result["cells"]] == [(64, 72), (96, 64)] * ROWS


@pytest.mark.option("CompareOptions.negative_prompt")
def test_a_negative_prompt_changes_the_picture(compare, options, pixels):
    assert pixels(compare(options(negative_prompt=FOX)))[0] != pixels(compare(options()))[0]


@pytest.mark.option("CompareOptions.width", "CompareOptions.height")
def test_pictures_have_the_width_and_height_given(compare, options):
    from PIL import Image

    result = compare(options(width=72, height=96))
    assert {Image.open(path).size for path in result["cells"]} == {(72, 96)}


@pytest.mark.option("CompareOptions.batch_size")
@pytest.mark.parametrize(("size", "counts"), [(1, [0, 1, 2, 3, 4, 5, 6]), (2, [0, 2, 3, 5, 6]), (4, [0, 3, 6])])
def test_as_many_pictures_of_a_row_are_drawn_at_once_as_given(compare, options, events, size, counts):
    compare(options(seeds=(1, 2, 3), batch_size=size))
    assert [event.done for event in events(Progress) if event.stage == "Drawing"] == counts


@pytest.mark.option("CompareOptions.clip_skip")
def test_clip_skip_changes_the_picture(compare, options, pixels):
    assert pixels(compare(options(clip_skip=2)))[0] != pixels(compare(options()))[0]


@pytest.mark.option("CompareOptions.precision")
def test_bf16_gives_nearly_the_picture_of_fp32_but_not_quite(compare, options, pixels):
    rough, exact = (pixels(compare(options(precision=name))) for name in ("bf16", "fp32"))
    for one, other in zip(rough, exact, strict=True):
        differences = [abs(a - b) for a, b in zip(one, other, strict=True)]
        assert 0 < sum(differences) / len(differences) < 8


@pytest.mark.parametrize("name", ["networks", "prompts", "strengths", "seeds", "cfg_scales", "steps", "samplers"])
def test_an_axis_without_values_is_refused(options, name):
    with pytest.raises(ConfigError, match=f"'{name}' is empty; give at least one"):
        options(**{name: ()})


@pytest.mark.parametrize(("name", "value"), [("prompts", APPLE), ("seeds", 3), ("strengths", 0.5)])
def test_a_value_given_twice_is_refused(options, name, value):
    with pytest.raises(ConfigError, match=f"'{name}' has {value} twice; give it once"):
        options(**{name: (value, value)})


@pytest.mark.parametrize("phrase", ["<lora:style:1>", "<hypernet:style:1>"])
def test_a_network_named_in_a_prompt_is_refused(phrase):
    with pytest.raises(ConfigError, match=rf"{phrase}.*'networks'"):
        CompareOptions(model=MODEL, networks=(MODEL,), output=MODEL, prompts=(f"{APPLE} {phrase}",))
