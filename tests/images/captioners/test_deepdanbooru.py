"""DeepDanbooru: the scores of a miniature with the real file's keys are those of its graph written out by hand."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ModelError
from lib_trainer.images.captioners.deepdanbooru import FILE, DeepDanbooru

pytestmark = pytest.mark.engine
torch = pytest.importorskip("torch")

import numpy as np  # noqa: E402
from PIL import Image  # noqa: E402
from torch.nn import functional  # noqa: E402

TAGS = ["1girl", "long_hair", "tree", "rating:safe", "rating:questionable"]
# As TorchDeepDanbooru's graph has them: number of the first convolution of each block -> stride, and where its shortcut
# is (the number of its convolution) if it has one.
BLOCKS = {
    1: (1, 1), 5: (1, None), 8: (1, None), 11: (2, 11), **dict.fromkeys(range(15, 36, 3), (1, None)),
    36: (2, 36), **dict.fromkeys(range(40, 97, 3), (1, None)), 97: (2, 100),
    **dict.fromkeys(range(101, 158, 3), (1, None)), 158: (2, 158), 162: (1, None), 165: (1, None), 168: (2, 168),
    172: (1, None), 175: (1, None),
}  # fmt: skip
WIDTHS = ((1, 4), (11, 6), (36, 8), (97, 8), (158, 10), (168, 12))  # from that convolution on: a quarter of the width


def width(number):
    return [wide for first, wide in WIDTHS if number >= first][-1]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The keys of the real file; the widths are small."""
    torch.manual_seed(4)
    weights, before = {}, 4

    def add(number, out, into, side):
        weights[f"n_Conv_{number}.weight"] = torch.randn(out, into, side, side) * (1.3 / (into * side * side)) ** 0.5
        weights[f"n_Conv_{number}.bias"] = torch.randn(out) * 0.1

    add(0, 4, 3, 7)
    for first, (_, shortcut) in BLOCKS.items():
        inner = width(first)
        start = first + (shortcut == first)
        add(start, inner, before, 1)
        add(start + 1, inner, inner, 3)
        add(start + 2, 4 * inner, inner, 1)
        if shortcut is not None:
            add(shortcut, 4 * inner, before, 1)
        before = 4 * inner
    add(178, len(TAGS), before, 1)
    del weights["n_Conv_178.bias"]
    path = tmp_path_factory.mktemp("models") / FILE
    torch.save({**weights, "tags": TAGS}, path)
    return path


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
    """Scaled to 512 pixels, and the outermost lines stretched over what is left, as with Pillow in the WebUI."""
    scale = 512 / max(picture.size)
    small = picture.resize((int(picture.width * scale), int(picture.height * scale)), Image.Resampling.LANCZOS)
    full = Image.new("RGB", (512, 512))
    left, top = 256 - small.width // 2, 256 - small.height // 2
    if small.width < 512:
        full.paste(small.resize((left, 512), box=(0, 0, 0, 512)), (0, 0))
        full.paste(small.resize((512 - left, 512), box=(small.width, 0, small.width, 512)), (left, 0))
    full.paste(small, (left, top))
    return torch.from_numpy(np.asarray(full, np.float32) / 255).permute(2, 0, 1)[None]


@pytest.mark.option("DeepDanbooru.place")
def test_every_tag_has_the_score_of_the_graph(file):
    pictures = [Image.linear_gradient("L").convert("RGB").resize((60, 80)), Image.new("RGB", (50, 50), "red")]
    loaded = DeepDanbooru(place=file, threshold=0).load("cpu")
    told = loaded.tag([loaded.prepare(picture) for picture in pictures])
    expected = [by_hand(file, picture) for picture in pictures]
    assert [[tag.score for tag in tags] for tags in told] == [pytest.approx(each, abs=1e-5) for each in expected]
    assert max(abs(a - b) for a, b in zip(*expected, strict=True)) > 1e-3
    assert [(tag.name, tag.category) for tag in told[0]][2:] == [
        ("tree", "general"), ("safe", "rating"), ("questionable", "rating"),
    ]  # fmt: skip


@pytest.mark.option("DeepDanbooru.threshold", "DeepDanbooru.model")
def test_unsure_tags_are_left_out_and_ratings_stay(file, monkeypatch, tmp_path):
    monkeypatch.setenv("LIB_TRAINER_DATA", str(tmp_path))
    (tmp_path / "models" / "captioners" / "mine").mkdir(parents=True)
    (tmp_path / "models" / "captioners" / "mine" / FILE).write_bytes(file.read_bytes())
    loaded = DeepDanbooru(model="mine", threshold=1).load("cpu")
    (tags,) = loaded.tag([loaded.prepare(Image.new("RGB", (50, 50), "red"))])
    assert [tag.name for tag in tags] == ["safe", "questionable"]
    with pytest.raises(ModelError, match="Did you mean 'mine'"):
        DeepDanbooru(model="mire").file()


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
