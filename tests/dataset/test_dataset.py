from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError, DataError  # noqa: E402
from lib_trainer.core.events import Progress, Table  # noqa: E402
from lib_trainer.dataset.context import DatasetContext  # noqa: E402
from lib_trainer.dataset.dataset import Batch, Dataset  # noqa: E402
from lib_trainer.dataset.opening import open_dataset, shared_pictures  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions, held_out_options  # noqa: E402
from lib_trainer.dataset.wording_options import WordingOptions  # noqa: E402
from lib_trainer.images.options import BucketOptions, CaptionOptions  # noqa: E402

Make = Callable[..., Path]
SMALL = BucketOptions(resolution=64, step=8)


@pytest.fixture
def options(tmp_path: Path) -> DatasetOptions:
    return DatasetOptions(folder=tmp_path / "pictures", buckets=SMALL)


@pytest.fixture
def three_pictures(make_picture: Make) -> list[Path]:
    return [
        make_picture("a.png", (64, 64), "a cat, black, sleeping"),
        make_picture("b.png", (64, 64), "a dog, brown, running"),
        make_picture("c.png", (96, 48), "a fox, red, jumping"),
    ]


def epoch(dataset: Dataset, number: int = 0) -> list[Batch]:
    return [dataset.load(plan, number) for plan in dataset.batches(number)]


def captions(dataset: Dataset, epochs: int = 1) -> Counter[str]:
    return Counter(text for number in range(epochs) for batch in epoch(dataset, number) for text in batch.captions)


def with_(options: DatasetOptions, **changed: Any) -> DatasetOptions:
    return dataclasses.replace(options, **changed)


def pixels_of(path: Path, size: tuple[int, int]) -> torch.Tensor:
    """The picture as the VAE wants it, made with Pillow and numbers alone; the picture already has the size's shape."""
    from PIL import Image

    with Image.open(path) as image:
        scaled = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    values = torch.tensor(list(scaled.get_flattened_data())).reshape(size[1], size[0], 3)
    return (values.permute(2, 0, 1).float() / 127.5 - 1)[None]


@pytest.mark.option("DatasetOptions.folder")
def test_latents_equal_those_encoded_by_hand(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path]
) -> None:
    seen = {}
    for batch in epoch(open_dataset(options, model, context)):
        for path, mean, std in zip(batch.paths, batch.mean, batch.std, strict=True):
            seen[path] = mean, std
    assert set(seen) == set(three_pictures)
    for path in three_pictures[:2]:
        with torch.no_grad():
            mean, std = model.encode_pictures(pixels_of(path, (64, 64)))
        assert seen[path][0].dtype == torch.float32
        torch.testing.assert_close(seen[path][0], mean[0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(seen[path][1], std[0], rtol=1e-4, atol=1e-5)


def test_a_batch_holds_matching_latents_captions_and_paths(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path]
) -> None:
    batches = epoch(open_dataset(options, model, context))
    assert sorted(tuple(batch.mean.shape) for batch in batches) == [(1, 4, 5, 11), (2, 4, 8, 8)]
    for batch in batches:
        assert batch.mean.shape == batch.std.shape
        assert batch.captions == [path.with_suffix(".txt").read_text(encoding="utf-8") for path in batch.paths]


@pytest.mark.option("DatasetOptions.buckets")
def test_the_buckets_decide_the_sizes(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path]
) -> None:
    sizes = {entry.path: entry.bucket for entry in open_dataset(options, model, context).entries}
    assert [sizes[path] for path in three_pictures] == [(64, 64), (64, 64), (88, 40)]
    square = with_(options, buckets=dataclasses.replace(SMALL, square=True))
    assert {entry.bucket for entry in open_dataset(square, model, context).entries} == {(64, 64)}


def test_small_pictures_keep_their_size_if_asked_to(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make
) -> None:
    make_picture("small.png", (35, 42))
    keeping = with_(options, buckets=dataclasses.replace(SMALL, no_upscale=True))
    assert open_dataset(keeping, model, context).entries[0].bucket == (32, 40)


def test_a_step_that_the_latents_cannot_follow_is_refused(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path]
) -> None:
    odd = with_(options, buckets=dataclasses.replace(SMALL, step=12))
    with pytest.raises(ConfigError, match=r"'buckets.step' is 12; this model needs a multiple of 8 px"):
        open_dataset(odd, model, context)


@pytest.mark.option("DatasetOptions.captions")
def test_captions_come_from_where_they_are_wanted(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path]
) -> None:
    prompted = with_(options, captions=CaptionOptions(source="prompt", prompt="a photo of sks dog"))
    assert captions(open_dataset(prompted, model, context)) == {"a photo of sks dog": 3}


@pytest.mark.option("DatasetOptions.trigger")
def test_the_trigger_is_put_before_every_caption(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path]
) -> None:
    seen = captions(open_dataset(with_(options, trigger="ohwx"), model, context))
    assert seen.keys() == {
        "ohwx, a cat, black, sleeping", "ohwx, a dog, brown, running", "ohwx, a fox, red, jumping",
    }


@pytest.mark.option("DatasetOptions.shuffle_tags", "DatasetOptions.keep_tags", "DatasetOptions.tag_dropout")
def test_tags_vary_from_epoch_to_epoch_and_always_in_the_same_way(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make
) -> None:
    make_picture("a.png", caption="cat, black, sleeping")
    shuffled = open_dataset(with_(options, shuffle_tags=True, keep_tags=1), model, context)
    assert captions(shuffled, 30).keys() == {"cat, black, sleeping", "cat, sleeping, black"}
    assert captions(shuffled, 30) == captions(shuffled, 30)
    thinned = open_dataset(with_(options, tag_dropout=0.5, keep_tags=1), model, context)
    assert captions(thinned, 40).keys() == {"cat, black, sleeping", "cat, black", "cat, sleeping", "cat"}
    assert shuffled.steady_captions is None


@pytest.mark.option("DatasetOptions.caption_dropout")
def test_a_warm_up_knows_how_much_of_the_training_is_past(
    three_pictures: list[Path], options: DatasetOptions, model: Any, context: DatasetContext
) -> None:
    dataset = open_dataset(with_(options, wording=WordingOptions(warmup=2)), model, context)
    plan = dataset.batches(1)[0]
    counts = [len(dataset.load(plan, *place).captions[0].split(", ")) for place in ((0, 0.0), (1, 0.0), (1, 0.5), (2,))]
    assert counts == [1, 2, 2, 3]


def test_captions_are_dropped_as_often_as_asked(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make
) -> None:
    make_picture("a.png", caption="a cat")
    dataset = open_dataset(with_(options, caption_dropout=0.3), model, context)
    assert 60 < captions(dataset, 300)[""] < 120
    assert dataset.steady_captions == ["a cat", ""]


@pytest.mark.option("DatasetOptions.flip")
def test_mirrored_pictures_come_as_often_as_asked_and_are_truly_mirrored(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make
) -> None:
    path = make_picture("a.png", (64, 64))
    dataset = open_dataset(with_(options, flip=0.3), model, context)
    assert model.encoded_pictures == 2
    with torch.no_grad():
        plain, _ = model.encode_pictures(pixels_of(path, (64, 64)))
        mirrored, _ = model.encode_pictures(pixels_of(path, (64, 64)).flip(3))
    assert not torch.allclose(plain, mirrored, atol=1e-2)
    shown = [epoch(dataset, number)[0].mean for number in range(300)]
    flips = [torch.allclose(mean, mirrored, atol=1e-4) for mean in shown]
    assert all(flip or torch.allclose(mean, plain, atol=1e-4) for flip, mean in zip(flips, shown, strict=True))
    assert 60 < sum(flips) < 120


def test_without_flip_no_mirrored_picture_is_encoded(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path]
) -> None:
    open_dataset(options, model, context)
    assert model.encoded_pictures == 3


@pytest.mark.option("DatasetOptions.repeats")
def test_each_picture_comes_as_often_as_folder_and_options_say(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make
) -> None:
    plain, folded = make_picture("a.png"), make_picture("4_fox/b.png")
    dataset = open_dataset(with_(options, repeats=3), model, context)
    assert Counter(path for batch in epoch(dataset) for path in batch.paths) == {plain: 3, folded: 12}
    assert dataset.batches_in(0) == len(dataset.batches(0)) == 8


@pytest.mark.option("DatasetOptions.background")
def test_the_background_shows_through_and_changes_the_cached_latents(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make
) -> None:
    make_picture("clear.png", mode="RGBA")
    white = epoch(open_dataset(options, model, context))[0].mean
    black = epoch(open_dataset(with_(options, background="black"), model, context))[0].mean
    assert model.encoded_pictures == 2
    assert not torch.allclose(white, black, atol=1e-2)
    open_dataset(with_(options, background="#ffffff"), model, context)
    assert model.encoded_pictures == 2


def test_a_background_that_is_no_colour_is_refused_before_anything_is_read(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path], recording: Any
) -> None:
    with pytest.raises(ConfigError, match=r"'background' is 'wite'.*Did you mean 'white'"):
        open_dataset(with_(options, background="wite"), model, context)
    assert recording.events == []


@pytest.mark.option("DatasetOptions.cache")
def test_the_cache_lies_where_the_options_say_and_never_in_the_users_folder(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path], tmp_path: Path
) -> None:
    before = sorted((tmp_path / "pictures").rglob("*"))
    dataset = open_dataset(with_(options, cache=tmp_path / "mine"), model, context)
    assert len(list((tmp_path / "mine" / "latents").rglob("*.latent"))) == 3
    assert not context.cache.exists()
    assert dataset.context.cache == tmp_path / "mine"
    open_dataset(options, model, context)
    assert len(list((context.cache / "latents").rglob("*.latent"))) == 3
    assert sorted((tmp_path / "pictures").rglob("*")) == before


def test_batches_follow_from_the_seed_and_the_epoch_alone(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make
) -> None:
    for number in range(6):
        make_picture(f"{number}.png", caption=f"{number}, red, round, small")
    varied = with_(options, shuffle_tags=True, tag_dropout=0.3, caption_dropout=0.1, flip=0.5, repeats=2)

    def shown(seed: int, number: int) -> list[tuple[list[str], list[Path], list[float]]]:
        dataset = open_dataset(varied, model, dataclasses.replace(context, seed=seed))
        return [(batch.captions, batch.paths, batch.mean.flatten().tolist()) for batch in epoch(dataset, number)]

    assert shown(3, 1) == shown(3, 1)
    assert shown(3, 1) != shown(3, 2)
    assert shown(3, 1) != shown(4, 1)


def test_the_report_comes_before_anything_is_encoded(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path], recording: Any
) -> None:
    (three_pictures[0].parent / "broken.png").write_bytes(b"")
    open_dataset(with_(options, repeats=2), model, context)
    tables = {table.title: table.rows for table in recording.of(Table)}
    assert ["Pictures in one epoch", "6"] in tables[f"Pictures in {options.folder}"]
    assert tables["Skipped files"] == [["broken.png", "the file is empty"]]
    assert [row[:3] for row in tables["Buckets"]] == [["64 x 64", "2", "4"], ["88 x 40", "1", "2"]]
    stages = [event.stage if isinstance(event, Progress) else event.name for event in recording.events]
    assert list(dict.fromkeys(stages)) == ["Looking at pictures", "table", "Encoding pictures"]
    assert stages.index("Encoding pictures") > max(place for place, stage in enumerate(stages) if stage == "table")


def test_batches_that_stay_nearly_empty_are_noticed(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path], recording: Any
) -> None:
    open_dataset(options, model, context)
    assert "on average" not in recording.messages
    open_dataset(options, model, dataclasses.replace(context, batch_size=4))
    assert "Batches hold 1.5 pictures on average instead of 4" in recording.messages


def test_nothing_varies_in_held_out_pictures(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path], tmp_path: Path
) -> None:
    varied = with_(
        options, trigger="ohwx", shuffle_tags=True, tag_dropout=0.9, caption_dropout=0.9, flip=0.5, repeats=7,
        folder=tmp_path / "elsewhere", wording=WordingOptions(warmup=50, dropout_every=1),
    )
    dataset = open_dataset(held_out_options(varied, tmp_path / "pictures"), model, context)
    assert captions(dataset, 3) == {
        "ohwx, a cat, black, sleeping": 3, "ohwx, a dog, brown, running": 3, "ohwx, a fox, red, jumping": 3,
    }
    assert model.encoded_pictures == 3


def test_pictures_that_are_in_both_folders_are_found(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path], tmp_path: Path
) -> None:
    copy = tmp_path / "held-out" / "other name.png"
    copy.parent.mkdir()
    copy.write_bytes(three_pictures[1].read_bytes())
    train = open_dataset(options, model, context)
    held_out = open_dataset(held_out_options(options, copy.parent), model, context)
    assert shared_pictures(train, held_out) == [(three_pictures[1], copy)]


def test_a_picture_that_breaks_after_the_scan_is_named_and_left_out(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path], recording: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_after_scan(monkeypatch, three_pictures[:1])
    dataset = open_dataset(options, model, context)
    assert [entry.path for entry in dataset.entries] == three_pictures[1:]
    assert f"{three_pictures[0]} is left out" in recording.messages


def test_no_readable_picture_left_is_an_error_naming_the_folder(
    options: DatasetOptions, model: Any, context: DatasetContext, three_pictures: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    break_after_scan(monkeypatch, three_pictures)
    with pytest.raises(DataError, match=r"None of the 3 pictures in .*pictures"):
        open_dataset(options, model, context)


def break_after_scan(monkeypatch: pytest.MonkeyPatch, paths: list[Path]) -> None:
    from lib_trainer.dataset import entries

    scan = entries.scan

    def scan_then_break(*arguments: Any) -> Any:
        found = scan(*arguments)
        for path in paths:
            path.write_bytes(path.read_bytes()[:100])
        return found

    monkeypatch.setattr(entries, "scan", scan_then_break)
