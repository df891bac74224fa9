"""Side files: what single folders and pictures have otherwise than the options say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lib_trainer.core.errors import DataError
from lib_trainer.dataset.override_options import OverrideOptions
from lib_trainer.dataset.overrides import Overrides, times
from lib_trainer.dataset.side_files import SideFiles

READ = OverrideOptions(read=True)


@dataclass
class Picture:
    path: Path
    repeats: int
    own: Overrides


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_DOT_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def told(folder: Path, name: str, options: OverrideOptions = READ) -> Overrides:
    return SideFiles(folder, options).overrides(folder / name)


@pytest.mark.option("OverrideOptions.read")
def test_our_own_file_speaks_of_its_folder_those_below_and_single_pictures(tmp_path: Path) -> None:
    ours = {"repeats": 2, "flip": 0.5, "pictures": {"cat.jpg": {"repeats": 0.5, "loss_weight": 3}}}
    write(tmp_path, overrides_DOT_json=json.dumps(ours), below__overrides_DOT_json='{"caption_dropout": 1}')
    assert told(tmp_path, "dog.jpg") == Overrides(2, 0.5)
    assert told(tmp_path, "cat.jpg") == Overrides(0.5, 0.5, None, 3)
    assert told(tmp_path, "below/cat.jpg") == Overrides(2, 0.5, 1)
    assert told(tmp_path, "cat.jpg", OverrideOptions()) == Overrides()


def test_everydreams_files_are_read_and_only_its_global_file_reaches_folders_below(tmp_path: Path) -> None:
    write(tmp_path, global_DOT_yaml="flip_p: 0.25\nrating: 3", local_DOT_yaml="multiply: 4", multiply_DOT_txt=" 0.5\n")
    write(tmp_path, cond_dropout_DOT_txt="0.1", loss_scale_DOT_txt="2", below__flip_p_DOT_txt="0")
    write(tmp_path, cat_DOT_yaml="multiply: 7\ncaption: a cat")
    assert told(tmp_path, "dog.jpg") == Overrides(0.5, 0.25, 0.1, 2)
    assert told(tmp_path, "cat.jpg") == Overrides(7, 0.25, 0.1, 2)
    assert told(tmp_path, "below/dog.jpg") == Overrides(1, 0)


@pytest.mark.option("OverrideOptions.kohya_file")
def test_kohyas_subsets_are_read(tmp_path: Path) -> None:
    pytest.importorskip("tomllib")
    write(
        tmp_path,
        sets_DOT_toml='[general]\nflip_aug = true\n[[datasets]]\ncaption_dropout_rate = 0.1\n[[datasets.subsets]]\n'
        'image_dir = "cats"\nnum_repeats = 5\nkeep_tokens = 1\n',
    )
    files = SideFiles(tmp_path, OverrideOptions(kohya_file=tmp_path / "sets.toml"))
    assert files.overrides(tmp_path / "cats" / "a.jpg") == Overrides(5, 0.5, 0.1)
    assert files.overrides(tmp_path / "dogs" / "a.jpg") == Overrides()
    assert "keep_tokens of" in files.notices[0]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"overrides_DOT_json": '{"flip": 2}'}, r"'flip' is 2 in .*overrides\.json; it must be a number from 0 to 1"),
        ({"overrides_DOT_json": '{"repeats": -1}'}, r"'repeats' is -1 in .*; it must be a number from 0 on"),
        ({"overrides_DOT_json": '{"repeats": "many"}'}, r"'repeats' is 'many' in "),
        ({"overrides_DOT_json": "{"}, r"overrides\.json can't be read .*; mend it"),
        ({"local_DOT_yaml": "a: [1"}, r"local\.yaml can't be read"),
        ({"local_DOT_yaml": "12"}, r"local\.yaml must hold names with values"),
        ({"multiply_DOT_txt": "twice"}, r"multiply\.txt holds 'twice'; it must hold one number"),
    ],
)
def test_a_side_file_that_tells_something_impossible_is_named(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    write(tmp_path, **files)
    with pytest.raises(DataError, match=message):
        told(tmp_path, "cat.jpg")


def test_what_is_not_heeded_is_told_once(tmp_path: Path) -> None:
    write(tmp_path, overrides_DOT_json='{"repeat": 2}', local_DOT_yaml="batch_id: cats")
    files = SideFiles(tmp_path, READ)
    for name in ("a.jpg", "b.jpg"):
        files.overrides(tmp_path / name)
    first, second = files.notices
    assert "overrides.json tells repeat, which is not heeded; known are repeats, flip" in first
    assert "local.yaml tells batch_id" in second


def test_fractions_of_repeats_come_true_over_the_epochs_and_not_all_at_once() -> None:
    for often, most in ((0.25, 1), (1.5, 2), (2.0, 2)):
        counts = [
            [times(Picture(Path(f"{number}.png"), 1, Overrides(often)), epoch, 3) for epoch in range(20)]
            for number in range(12)
        ]
        assert all(abs(sum(each) - 20 * often) < 1 and max(each) == most for each in counts)
        assert often == 2 or len({tuple(each) for each in counts}) > 1
    assert times(Picture(Path("a.png"), 3, Overrides()), 5, 3) == 3


@pytest.mark.engine
def test_a_dataset_heeds_them(make_picture: Callable[..., Path], model: Any, context: Any, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from lib_trainer.dataset.opening import open_dataset
    from lib_trainer.dataset.options import DatasetOptions, held_out_options
    from lib_trainer.images.options import BucketOptions

    for name in ("a", "b", "c"):
        make_picture(f"{name}.png", caption=name)
    pictures = {
        "a.png": {"repeats": 0},
        "b.png": {"repeats": 3, "flip": 1},
        "c.png": {"caption_dropout": 1, "loss_weight": 2},
    }
    write(tmp_path / "pictures", overrides_DOT_json=json.dumps({"pictures": pictures}))
    options = DatasetOptions(folder=tmp_path / "pictures", buckets=BucketOptions(resolution=64, step=8), overrides=READ)
    dataset = open_dataset(options, model, context)
    batches = [dataset.load(plan, 0) for plan in dataset.batches(0)]
    shown: Counter[tuple[str, float]] = Counter()
    for batch in batches:
        assert batch.weights is not None
        shown.update(zip(batch.captions, batch.weights.tolist(), strict=True))
    assert shown == {("b", 1): 3, ("", 2): 1}
    assert "" in (dataset.steady_captions or [])
    mirrored = dataset.entries[1].view.mirror()
    assert dataset._cache.has(mirrored)  # only of the picture that is mirrored
    assert not dataset._cache.has(dataset.entries[2].view.mirror())
    aside = open_dataset(held_out_options(options, options.folder), model, context)
    assert len(aside.batches(0)) == 2
    assert aside.load(aside.batches(0)[0], 0).weights is None


@pytest.mark.engine
def test_an_epoch_that_would_show_nothing_is_refused(
    make_picture: Callable[..., Path], model: Any, context: Any, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    from lib_trainer.dataset.opening import open_dataset
    from lib_trainer.dataset.options import DatasetOptions
    from lib_trainer.images.options import BucketOptions

    make_picture("a.png", caption="a")
    write(tmp_path / "pictures", multiply_DOT_txt="0")
    options = DatasetOptions(folder=tmp_path / "pictures", buckets=BucketOptions(resolution=64, step=8), overrides=READ)
    with pytest.raises(DataError, match=r"Epoch 1 shows no picture; raise 'dataset\.repeats'"):
        open_dataset(options, model, context)
