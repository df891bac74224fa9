"""The grid shows each cell in its place, within its limits, and says what it is."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from lib_trainer.comparison import labels, layout  # noqa: E402
from lib_trainer.comparison.cells import CellFiles, Sources  # noqa: E402
from lib_trainer.comparison.digests import Digest  # noqa: E402
from lib_trainer.comparison.grid import BLANK, draw_grid, save_grid  # noqa: E402
from lib_trainer.comparison.layout import LONGEST_SIDE, MOST_PIXELS, lay_out  # noqa: E402
from lib_trainer.comparison.plan import plan  # noqa: E402
from lib_trainer.core.events import Notice, Saved  # noqa: E402
from lib_trainer.core.units import Size  # noqa: E402
from tests.comparison.conftest import APPLE, FOX  # noqa: E402


@pytest.fixture
def save(run):
    """`save(options, blank=...)`: the grid of cells that are each one colour, without those that are left blank."""

    def saved(made, blank=()):
        planned = plan(made)
        networks = dict.fromkeys(planned.networks, Digest("of the network", "0123456789ab"))
        models = dict.fromkeys(made.all_models, Digest("of the model", "0123456789"))
        outputs, kinds = dict.fromkeys(networks, "lora"), dict.fromkeys(models, "torch.float32")
        files = CellFiles(made, Sources(models, networks, outputs, kinds))
        drawn = {cell for number, cell in enumerate(planned.cells) if number not in blank}
        for number, cell in enumerate(planned.cells):
            if cell in drawn:
                size = cell.column.values["size"]
                files.save(cell, Image.new("RGB", (size.width, size.height), colour(number)))
        return Image.open(save_grid(planned, files, drawn, run))

    return saved


def colour(number):
    return (255 - 20 * number, 10 * number, 100)


def pixel_of_cell(grid, made, row, column):
    """The pixel in the middle of a cell."""
    laid = lay_out(plan(made))
    x = laid.left + column * laid.slot[0] + (laid.slot[0] - layout.GAP) // 2
    return grid.getpixel((x, laid.top + row * laid.slot[1] + laid.shown[1] // 2))


@pytest.mark.parametrize("side", [64, 128, 200])
def test_each_cell_stands_in_its_row_and_column_at_its_own_size(save, options, side):
    made = options(prompts=(APPLE, FOX), seeds=(1, 2), width=side, height=side)
    grid = save(made)
    for number in range(8):
        assert pixel_of_cell(grid, made, number // 4, number % 4) == colour(number)
        flat = grid.tobytes()
        assert sum(flat[at : at + 3] == bytes(colour(number)) for at in range(0, len(flat), 3)) == side * side


def test_pictures_of_several_sizes_stand_in_the_middle_of_places_for_the_largest(save, options):
    made = options(sizes=(Size(64, 128), Size(128, 64)))
    grid = save(made)
    laid = lay_out(plan(made))
    assert laid.shown == (128, 128)
    for number in range(4):
        assert pixel_of_cell(grid, made, number // 2, number % 2) == colour(number)
        flat = grid.tobytes()
        assert sum(flat[at : at + 3] == bytes(colour(number)) for at in range(0, len(flat), 3)) == 64 * 128


def test_a_cell_that_is_not_drawn_is_blank_and_says_so(save, options):
    made = options(seeds=(1, 2), width=128, height=128)
    grid = save(made, blank=(3,))
    assert pixel_of_cell(grid, made, 1, 0) == colour(2)
    assert "#{:02x}{:02x}{:02x}".format(*pixel_of_cell(grid, made, 1, 1)) == BLANK
    laid = lay_out(plan(made))
    left, top = laid.left + laid.slot[0], laid.top + laid.slot[1]
    corner = grid.crop((left, top, left + 128, top + laid.line + 2 * layout.GAP))
    assert corner.convert("L").getextrema()[0] < 100


def test_every_label_leaves_ink_in_its_place(save, options):
    made = options(prompts=(APPLE, FOX), seeds=(1, 2))
    grid, laid = save(made).convert("L"), lay_out(plan(made))
    below, column = laid.title_height, laid.slot[0]
    places = [(0, 0, grid.width, below)]
    # Without the gap in which the rule beneath a prompt is drawn.
    prompts = laid.prompts_height - layout.GAP
    places += [(laid.left + number * 2 * column, below, column * 2, prompts) for number in (0, 1)]
    line = below + laid.prompts_height
    places += [(laid.left + number * column, line, column, laid.line) for number in range(4)]
    places += [(0, laid.top + number * laid.slot[1], laid.left, laid.slot[1]) for number in (0, 1)]
    for x, y, width, height in places:
        assert grid.crop((x, y, x + width, y + height)).getextrema()[0] < 100


def test_another_label_gives_another_picture(options, make_network):
    grids = []
    for changes in ({}, {"prompts": (FOX,)}, {"networks": (make_network("other"),)}, {"steps": (3,)}):
        planned = plan(options(**changes))
        grids.append(draw_grid(planned, lay_out(planned), {}).tobytes())
    assert len(set(grids)) == 4


@pytest.mark.parametrize(
    ("columns", "strengths", "side"), [(200, 48, 2048), (20, 499, 512), (1, 499, 64), (200, 1, 64), (19, 99, 2048)]
)
def test_a_large_grid_stays_within_its_limits_with_pictures_still_to_be_seen(options, columns, strengths, side):
    seeds, amounts = tuple(range(columns)), tuple(number / 200 for number in range(strengths))
    laid = lay_out(plan(options(seeds=seeds, strengths=amounts, width=side, height=side)))
    width, height = laid.size
    assert width * height <= MOST_PIXELS
    assert max(width, height) <= LONGEST_SIDE
    assert 16 <= min(laid.shown) <= side


def test_pictures_that_are_scaled_down_are_told_and_keep_their_shape(save, options, events, monkeypatch):
    monkeypatch.setattr(layout, "MOST_PIXELS", 60_000)
    made = options(seeds=(1, 2), width=256, height=128)
    grid = save(made)
    assert grid.width * grid.height <= 60_000
    assert pixel_of_cell(grid, made, 1, 1) == colour(3)
    shown = lay_out(plan(made)).shown
    assert shown[0] / shown[1] == pytest.approx(2, rel=0.05)
    told = [event.message for event in events(Notice)]
    assert any(f"at {shown[0]}x{shown[1]} px instead of 256x128 px" in message for message in told)


def test_a_grid_at_full_size_says_nothing_of_its_size(save, options, events):
    save(options())
    assert events(Notice) == []


def test_letters_that_no_font_has_are_told(save, options, messages, monkeypatch):
    monkeypatch.setattr(labels, "SYSTEM_FONTS", ())
    save(options(prompts=("\u6f22\u5b57",)))
    assert any("No font on this computer has all letters" in message for message in messages())


def test_the_grid_says_what_it_compares_and_no_path(save, options, events, tmp_path):
    grid = save(options(prompts=(APPLE, FOX), seeds=(1, 2), negative_prompt="gr\u00fcn"))
    assert grid.info["parameters"].startswith(f"{APPLE}\nNegative prompt: gr\u00fcn\nSteps: 2, ")
    told = json.loads(grid.info["comparison"])
    assert (told["models"], told["rows"]) == (["emoji-tiny.safetensors"], ["no network", "style-e001"])
    assert told["sizes"] == ["64x64"]
    assert (told["prompts"], told["seeds"]) == ([APPLE, FOX], [1, 2])
    assert str(tmp_path) not in grid.info["comparison"]
    (saved,) = events(Saved)
    assert (saved.kind, saved.path) == ("grid", grid.filename)


def test_an_empty_prompt_is_named_as_none(options):
    assert lay_out(plan(options(prompts=("",)))).prompts[0].lines == ["(no prompt)"]
