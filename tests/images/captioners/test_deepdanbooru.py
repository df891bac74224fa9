"""DeepDanbooru: the scores of a miniature with the real file's keys are those of its graph written out by hand."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ModelError
from lib_trainer.images.captioners.deepdanbooru import FILE, DeepDanbooru

pytestmark = pytest.mark.engine
torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from deepdanbooru_miniature import BLOCKS, make_deepdanbooru  # noqa: E402
from PIL import Image  # noqa: E402
from torch.nn import functional  # noqa: E402


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The keys of the real file; the widths are small."""
    return make_deepdanbooru(tmp_path_factory.mktemp("models"))


def by_hand(file, picture):
    """One picture through the graph, a block at a time; prepared as the WebUI's 'resize and fill' does."""
    weights = torch.load(file, weights_only=True)

    def convolved(x, number, stride=1):
        return functional.conv2d(x, weights[f"n_Conv_{number}.weight"], weights.get(f"n_Conv_{number}.bias"), stride)

    x = filled(picture)
    x = torch.relu(convolved(functional.pad(x, (2, 3, 2, 3)), 0, 2))
    x = functional.max_pool2d(functional.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2)
    for first, (stride, shortcut) in BLOCKS.items():
        start = first + (shortcut == first)
        y = torch.relu(convolved(x, start))
        y = functional.pad(y, (1, 1, 1, 1) if stride == 1 else (0, 1, 0, 1))
        y = convolved(torch.relu(convolved(y, start + 1, stride)), start + 2)
        x = torch.relu(y + (x if shortcut is None else convolved(x, shortcut, stride)))
    x = convolved(x, 178)
    return torch.sigmoid(functional.avg_pool2d(x, x.shape[-2:])[0, :, 0, 0]).tolist()


def filled(picture):
    """Scaled to 512 pixels, and the outermost lines drawn out over what is left, as modules/images.py does it."""
    ratio = picture.width / picture.height
    wide = 512 if ratio > 1 else picture.width * 512 // picture.height
    high = 512 if ratio <= 1 else picture.height * 512 // picture.width
    small = picture.resize((wide, high), Image.Resampling.LANCZOS)
    full = Image.new("RGB", (512, 512))
    full.paste(small, (256 - wide // 2, 256 - high // 2))
    if ratio < 1:
        margin = 256 - wide // 2
        full.paste(small.resize((margin, 512), box=(0, 0, 0, high)), (0, 0))
        full.paste(small.resize((margin, 512), box=(wide, 0, wide, high)), (margin + wide, 0))
    elif ratio > 1:
        margin = 256 - high // 2
        full.paste(small.resize((512, margin), box=(0, 0, wide, 0)), (0, 0))
        full.paste(small.resize((512, margin), box=(0, high, wide, high)), (0, margin + high))
    return torch.from_numpy(np.asarray(full, np.float32) / 255).permute(2, 0, 1)[None]


@pytest.mark.option("DeepDanbooru.place")
def test_every_tag_has_the_score_of_the_graph(file):
    pictures = [Image.linear_gradient("L").convert("RGB").resize((60, 80)), Image.new("RGB", (50, 50), "red")]
    loaded = DeepDanbooru(place=file, threshold=0).load("cpu")
    told = loaded.tag([loaded.prepare(picture) for picture in pictures])
    expected = [by_hand(file, picture) for picture in pictures]
    assert [[tag.score for tag in tags] for tags in told] == [pytest.approx(each, abs=1e-5) for each in expected]
    assert max(abs(a - b) for a, b in zip(*expected, strict=True)) > 5e-3
    assert [(tag.name, tag.category) for tag in told[0]][2:] == [
        ("tree", "general"), ("safe", "rating"), ("questionable", "rating"),
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(60, 80), (80, 45), (512, 512), (900, 701), (3, 900)])
def test_a_picture_is_filled_up_as_the_webui_does(file, size):
    picture = Image.effect_noise(size, 80).convert("RGB")
    prepared = DeepDanbooru(place=file).load("cpu").prepare(picture)
    assert (prepared == filled(picture)[0]).all()


@pytest.mark.option("DeepDanbooru.threshold", "DeepDanbooru.model")
def test_unsure_tags_are_left_out_and_ratings_stay(file, monkeypatch, tmp_path):
    monkeypatch.setenv("LIB_TRAINER_DATA", str(tmp_path))
    (tmp_path / "models" / "captioners" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "captioners" / "mine" / FILE).write_bytes(file.read_bytes())
    loaded = DeepDanbooru(model="mine", threshold=1).load("cpu")
    (tags,) = loaded.tag([loaded.prepare(Image.new("RGB", (50, 50), "red"))])
    assert [tag.name for tag in tags] == ["safe", "questionable"]
    with pytest.raises(ModelError, match="Did you mean 'mine'"):
        DeepDanbooru(model="mire").found()


@pytest.mark.parametrize("content", [b"", b"<html>", None])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / FILE
    if content is None:
        torch.save({"tags": ["a"]}, path)
    else:
        path.write_bytes(content)
    with pytest.raises(ModelError) as raised:
        DeepDanbooru(place=path).load("cpu")
    assert str(path) in str(raised.value)
