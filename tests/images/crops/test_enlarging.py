"""Small pictures are enlarged by an upscaler of the WebUI in whose tab `prepare` was started."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.events import Notice
from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.images.options import BucketOptions, PrepareOptions

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image, ImageChops  # noqa: E402

from lib_trainer.images.prepare import prepare  # noqa: E402
from tests.answering_page import answering  # noqa: E402


@pytest.fixture
def options(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (32, 32), "red").save(folder / "small.png")
    Image.new("RGB", (96, 96), "red").save(folder / "large.png")
    buckets = BucketOptions(resolution=64, step=8, square=True)
    return PrepareOptions(folder=folder, output=tmp_path / "out", buckets=buckets, enlarge="webui")


def webui(run, told, fails=()):
    """A WebUI whose upscaler doubles pictures and turns their colours round, so that its work can be seen."""

    def enlarge(source, target, task):
        with Image.open(source) as image:
            told.append((task["by"], round(task["times"], 3), image.size))
            if image.size in fails:
                raise DeclinedError("out of memory")
            ImageChops.invert(image.resize((image.width * 2, image.height * 2))).save(target, "PNG")

    return answering(run, {"enlarge": ["4x-Sharp", "4x-Soft"]}, enlarge)


def colour(path):
    with Image.open(path) as image:
        assert image.size == (64, 64)
        return image.getpixel((32, 32))


@pytest.mark.option("PrepareOptions.enlarge")
def test_only_small_pictures_go_to_the_webui(options, run):
    told = []
    with webui(run, told):
        prepare(options, run)
    assert told == [("4x-Sharp", 2.0, (32, 32))]
    assert colour(options.output / "small.png") == (0, 255, 255)
    assert colour(options.output / "large.png") == (255, 0, 0)
    prepare(replace(options, enlarge="lanczos"), run)
    assert colour(options.output / "small.png") == (255, 0, 0)


@pytest.mark.option("PrepareOptions.upscaler")
def test_the_upscaler_is_the_chosen_one_and_another_makes_the_copy_anew(options, run):
    told = []
    with webui(run, told):
        prepare(options, run)
        assert prepare(options, run)["kept"] == 2
        assert prepare(replace(options, upscaler="4x-Soft"), run)["made"] == 1
    assert [by for by, _, _ in told] == ["4x-Sharp", "4x-Soft"]


def test_a_padded_copy_lies_where_its_mask_says(options, run):
    Image.new("RGB", (40, 20), "red").save(options.folder / "small.png")
    with webui(run, []):
        result = prepare(replace(options, crop="pad"), run)
    with Image.open(options.output / "small.png") as copy, Image.open(f"{result['masks']}/small.png") as mask:
        assert [mask.getpixel((32, y)) for y in (15, 16, 47, 48)] == [0, 255, 255, 0]
        assert [copy.getpixel((32, y)) == (0, 255, 255) for y in (15, 16, 47, 48)] == [False, True, True, False]


def test_a_picture_that_could_not_be_enlarged_is_named_and_the_others_are_made(options, run):
    Image.new("RGB", (16, 16), "red").save(options.folder / "tiny.png")
    with webui(run, [], fails=[(16, 16)]):
        result = prepare(options, run)
    assert (result["made"], result["skipped"]) == (2, 1)
    said = [event.message for event in run.events_after(0)[0] if isinstance(event, Notice)]
    assert any("tiny.png" in message and "out of memory" in message for message in said)
    assert not (options.output / "tiny.png").exists()


def test_without_a_webui_it_is_refused_before_anything_is_written(options, run):
    with pytest.raises(ConfigError, match="'lanczos'"):
        prepare(options, run)
    with webui(run, []), pytest.raises(ConfigError, match="Did you mean '4x-Soft'"):
        prepare(replace(options, upscaler="4x-Sofd"), run)
    assert not options.output.exists()
