"""Which rows and columns a comparison has, in which order, and what cannot be planned."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("torch")

from lib_trainer.comparison.plan import plan  # noqa: E402
from lib_trainer.core.errors import ConfigError, ModelError  # noqa: E402
from tests.comparison.conftest import APPLE, FOX, MODEL  # noqa: E402


def labels(planned):
    return [row.label for row in planned.rows]


def test_the_model_alone_comes_first_then_each_network_at_each_strength(options, make_network):
    networks = (make_network("style-e002"), make_network("style-e001"))
    planned = plan(options(networks=networks, strengths=(1.0, 0.8)))
    assert labels(planned) == [
        "no network", "style-e002 at 1", "style-e002 at 0.8", "style-e001 at 1", "style-e001 at 0.8",
    ]  # fmt: skip


def test_each_model_has_all_rows_and_its_name_before_them(options, tmp_path):
    other = tmp_path / "other.safetensors"
    other.write_bytes(MODEL.read_bytes())
    planned = plan(options(models=(other,)))
    rows = ["no network", "style-e001"]
    assert labels(planned) == [f"{name}: {row}" for name in ("emoji-tiny", "other") for row in rows]
    assert [row.model for row in planned.rows] == [MODEL, MODEL, other, other]


def test_models_of_one_name_are_told_apart_by_their_paths(options, tmp_path):
    other = tmp_path / MODEL.name
    other.write_bytes(MODEL.read_bytes())
    assert labels(plan(options(models=(other,))))[2] == f"{other}: no network"


def test_what_is_told_of_a_plan_names_each_column_by_its_prompt_and_what_else_varies(options):
    told = plan(options(prompts=(APPLE, ""), seeds=(1, 2))).event()
    assert told.columns == [f"{prompt}\nseed {seed}" for prompt in (APPLE, "(no prompt)") for seed in (1, 2)]
    assert plan(options()).event().columns == [APPLE]


def test_full_strength_alone_is_not_told(options):
    assert labels(plan(options())) == ["no network", "style-e001"]


def test_one_strength_that_is_not_full_is_told(options):
    assert labels(plan(options(strengths=(0.6,)))) == ["no network", "style-e001 at 0.6"]


def test_a_folders_networks_come_in_natural_order(options, make_network):
    for epoch in (10, 9, 1):
        folder = make_network(f"epochs/style-{epoch}").parent
    (folder / "style-2.json").write_text("{}", encoding="utf-8")
    (folder / "style-9.safetensors").rename(folder / "style-9.pt")
    assert labels(plan(options(networks=(folder,)))) == ["no network", "style-1", "style-9", "style-10"]


def test_the_epoch_in_the_header_is_told_where_the_name_does_not_have_it(options, make_network):
    networks = (make_network("style-000003", ss_epoch="3"), make_network("style", ss_epoch="4"))
    assert labels(plan(options(networks=networks))) == ["no network", "style-000003", "style, epoch 4"]


def test_networks_of_one_name_are_told_apart_by_their_folders(options, make_network):
    networks = (make_network("one/style"), make_network("other/style"), make_network("single"))
    told = labels(plan(options(networks=networks)))
    assert told == ["no network", "one/style.safetensors", "other/style.safetensors", "single"]


def test_networks_of_one_name_in_folders_of_one_name_are_told_apart_by_their_paths(options, make_network):
    networks = (make_network("one/run/style"), make_network("other/run/style"))
    assert labels(plan(options(networks=networks)))[1:] == [str(path) for path in networks]


def test_columns_are_the_product_of_their_axes_with_the_prompt_outermost(options):
    planned = plan(options(prompts=(APPLE, FOX), seeds=(1, 2), cfg_scales=(4.0, 7.5)))
    found = [(column.values["prompt"], column.label) for column in planned.columns]
    told = ["seed 1, CFG 4", "seed 1, CFG 7.5", "seed 2, CFG 4", "seed 2, CFG 7.5"]
    assert found == [(prompt, label) for prompt in (APPLE, FOX) for label in told]


def test_an_axis_of_one_value_is_in_no_label(options):
    assert [column.label for column in plan(options(seeds=(5,), steps=(2, 3))).columns] == ["2 steps", "3 steps"]


def test_cells_come_row_by_row(options):
    planned = plan(options(seeds=(1, 2)))
    told = [(cell.row.label, cell.column.label) for cell in planned.cells]
    assert told == [(row, column) for row in ("no network", "style-e001") for column in ("seed 1", "seed 2")]


@pytest.mark.parametrize("name", ["model", "models", "networks"])
def test_a_missing_file_is_named(options, tmp_path, name):
    missing = tmp_path / "missing.safetensors"
    with pytest.raises(ModelError, match=r"missing\.safetensors does not exist; check the path"):
        plan(options(**{name: missing if name == "model" else (missing,)}))


def test_a_folder_without_a_network_is_named(options, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"empty has no \.safetensors or \.pt file"):
        plan(options(networks=(tmp_path / "empty",)))


def test_a_broken_network_is_named(options, make_network):
    network = make_network("broken")
    network.write_bytes(network.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"broken\.safetensors is cut off"):
        plan(options(networks=(network,)))


def test_a_network_given_with_its_folder_is_refused(options, make_network):
    network = make_network("style")
    with pytest.raises(ConfigError, match=r"style\.safetensors 2 times; give the file or its folder, not both"):
        plan(options(networks=(network, network.parent)))


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"seeds": tuple(range(201))}, "201 columns, at most 200"),
        ({"strengths": tuple(number / 1000 for number in range(500))}, "501 rows, at most 500"),
        ({"seeds": tuple(range(150)), "strengths": tuple(number / 100 for number in range(80))}, "12150 pictures"),
    ],
)
def test_more_than_one_grid_can_show_is_refused_before_anything_is_drawn(options, changes, count):
    with pytest.raises(ConfigError, match=count):
        plan(options(**changes))
