"""A cell's key changes with all that its picture depends on and with nothing else; its text is the WebUI's."""

from __future__ import annotations

import dataclasses

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from lib_trainer.comparison.cells import CellFiles, Sources  # noqa: E402
from lib_trainer.comparison.digests import model_digest, network_digest  # noqa: E402
from lib_trainer.comparison.plan import plan  # noqa: E402
from lib_trainer.core.errors import OutputError  # noqa: E402
from lib_trainer.core.units import Size  # noqa: E402
from tests.comparison.conftest import APPLE, FOX, MODEL  # noqa: E402


def files_of(made, arithmetic="torch.float32", output="lora"):
    networks = {path: network_digest(path) for path in plan(made).networks}
    models = {model: model_digest(model) for model in made.all_models}
    outputs, kinds = dict.fromkeys(networks, output), dict.fromkeys(models, arithmetic)
    return CellFiles(made, Sources(models, networks, outputs, kinds))


def keys(made, arithmetic="torch.float32"):
    files = files_of(made, arithmetic)
    return [files.key(cell) for cell in plan(made).cells]


@pytest.fixture
def picture():
    return Image.new("RGB", (64, 64), "red")


@pytest.mark.parametrize(
    "change",
    [
        {"prompts": (FOX,)},
        {"seeds": (2,)},
        {"cfg_scales": (4.0,)},
        {"steps": (3,)},
        {"samplers": ("Euler",)},
        {"negative_prompt": "blurry"},
        {"width": 72},
        {"height": 72},
        {"clip_skip": 2},
        {"sizes": (Size(64, 72),)},
    ],
)
def test_a_cell_drawn_with_another_setting_has_another_key_in_every_row(options, change):
    assert not set(keys(options())) & set(keys(options(**change)))


def test_the_number_format_is_part_of_the_key(options):
    assert not set(keys(options())) & set(keys(options(), "torch.bfloat16"))


def test_a_strength_is_part_of_a_networks_key_only(options):
    one, other = keys(options()), keys(options(strengths=(0.5,)))
    assert one[0] == other[0]
    assert one[1] != other[1]


def test_the_same_size_given_in_either_way_has_the_same_key(options):
    assert keys(options(width=64, height=72)) == keys(options(sizes=(Size(64, 72),)))


def test_neither_batch_nor_neighbours_nor_the_place_are_part_of_the_key(options, tmp_path):
    elsewhere = keys(options(batch_size=1, seeds=(1, 2), output=tmp_path / "elsewhere"))
    assert set(keys(options())) < set(elsewhere)


def test_a_replaced_network_has_other_keys_and_a_renamed_one_the_same(options, make_network):
    first = keys(options(networks=(make_network("style", seed=1),)))
    renamed = keys(options(networks=(make_network("renamed", seed=1),)))
    replaced = keys(options(networks=(make_network("style", seed=2),)))
    assert renamed == first
    assert replaced[0] == first[0]
    assert replaced[1] != first[1]


def test_a_saved_cell_is_drawn_and_a_missing_damaged_or_foreign_one_is_not(options, picture):
    made = options()
    files, (cell, other) = files_of(made), plan(made).cells
    assert not files.is_drawn(cell)
    path = files.save(cell, picture)
    assert files.is_drawn(cell)
    path.replace(files.path(other))
    assert not files.is_drawn(other)
    path = files.save(cell, picture)
    path.write_bytes(path.read_bytes()[:-40])
    assert not files.is_drawn(cell)


def test_a_networks_cell_carries_the_webuis_text(options, picture, make_network):
    networks = (make_network("style-e001"),)
    made = options(networks=networks, strengths=(0.8,), negative_prompt="blurry", cfg_scales=(4.0,))
    files, cell = files_of(made), plan(made).cells[1]
    shown = network_digest(made.networks[0]).shown
    assert Image.open(files.save(cell, picture)).info["parameters"] == (
        f"{APPLE} <lora:style-e001:0.8>\n"
        "Negative prompt: blurry\n"
        "Steps: 2, Sampler: DPM++ 2M, Schedule type: Uniform, CFG scale: 4.0, Seed: 1, Size: 64x64, Model: emoji-tiny, "
        f'RNG: CPU, Model hash: {model_digest(MODEL).shown}, Lora hashes: "style-e001: {shown}"'
    )


@pytest.mark.parametrize(
    ("output", "prompt"), [("hypernetwork", f"{APPLE} <hypernet:style:0.8>"), ("embedding", APPLE)]
)
def test_other_networks_are_called_as_the_webui_calls_them(options, output, prompt, make_network):
    made = options(networks=(make_network("style"),), strengths=(0.8,))
    told = files_of(made, output=output).parameters(plan(made).cells[1])
    assert told.startswith(f"{prompt}\nSteps: 2") and "Lora hashes" not in told


def test_the_cell_without_a_network_names_none(options, picture):
    files, cell = files_of(options()), plan(options()).cells[0]
    told = Image.open(files.save(cell, picture)).info["parameters"]
    assert told.startswith(f"{APPLE}\nSteps: 2")
    assert "ora" not in told


def test_cells_of_equal_names_lie_beside_each_other(options, make_network):
    made = options(networks=(make_network("one/style", seed=1), make_network("other/style", seed=2)), seeds=(1, 2))
    files, cells = files_of(made), plan(made).cells
    names = {files.path(cell).name for cell in cells}
    assert len(names) == len(cells) == 6
    assert sum(name.startswith("style-at-1-seed-2-") for name in names) == 2


def test_a_folder_that_cannot_be_written_to_is_named(options, picture, tmp_path):
    (tmp_path / "file").write_text("no folder", encoding="utf-8")
    made = dataclasses.replace(options(), output=tmp_path / "file")
    with pytest.raises(OutputError, match=r"file.*can't be written .*choose another 'output'"):
        files_of(made).save(plan(made).cells[0], picture)
