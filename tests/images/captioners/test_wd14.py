"""Taggers of the WD14 family: the numbers are those of the same network in torch on pictures prepared by hand."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ModelError
from lib_trainer.images.captioners.wd14 import Wd14

pytestmark = pytest.mark.engine
np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from PIL import Image  # noqa: E402
from wd14_miniature import SIDE, TAGS, make_tagger, scores_by_torch  # noqa: E402

EVERYTHING = {"general": 0.0, "character": 0.0, "other": 0.0}


def by_hand(path):
    """Padded to a white square, scaled (bicubic), blue first: in numpy, so apart from the code under test."""
    rgb = np.asarray(Image.open(path).convert("RGB"))
    high, wide = rgb.shape[:2]
    side = max(high, wide)
    padded = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - high) // 2, (side - wide) // 2
    padded[top : top + high, left : left + wide] = rgb
    scaled = Image.fromarray(padded).resize((SIDE, SIDE), Image.Resampling.BICUBIC) if side != SIDE else padded
    return np.asarray(scaled, np.float32)[..., ::-1].copy()


def opened(photos):
    return [Image.open(path).convert("RGB") for path in sorted(photos.rglob("*.png"))]


def scores(loaded, pictures):
    return [{tag.name: tag.score for tag in tags} for tags in loaded.tag([loaded.prepare(each) for each in pictures])]


def test_every_tag_has_the_score_that_the_same_network_gives_in_torch(photos, tagger):
    told = scores(Wd14(place=tagger, **EVERYTHING).load("cpu"), opened(photos))
    expected = scores_by_torch(np.stack([by_hand(path) for path in sorted(photos.rglob("*.png"))]))
    got = np.array([[each[name] for name, _ in TAGS] for each in told])
    assert np.abs(got - expected).max() < 1e-5
    assert got.std(0).max() > 0.02  # the pictures do differ


def test_a_picture_of_the_very_size_is_taken_as_it_is():
    loaded = Wd14()
    picture = Image.effect_noise((SIDE, SIDE), 50).convert("RGB")
    from lib_trainer.images.captioners.wd14 import LoadedWd14

    prepared = LoadedWd14(None, [], [], SIDE, None).prepare(picture)
    assert (prepared == np.asarray(picture, np.float32)[:, :, ::-1]).all()
    assert loaded.threshold("general") == 0.35


def test_a_file_that_takes_one_picture_at_a_time_says_the_same(photos, tagger, tmp_path):
    fixed = make_tagger(tmp_path / "fixed", batch=2)
    many = scores(Wd14(place=tagger, **EVERYTHING).load("cpu"), opened(photos))
    few = scores(Wd14(place=fixed, **EVERYTHING).load("cpu"), opened(photos))
    assert len(few) == 5
    for one, other in zip(many, few, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


@pytest.mark.option("Wd14.place", "Wd14.general", "Wd14.character", "Wd14.other")
def test_each_kind_of_tag_has_its_threshold(photos, tmp_path):
    tags = [("safe", 9), ("a", 0), ("b", 0), ("someone", 4), ("somebody", 1)]
    folder = make_tagger(tmp_path / "few", tags=tags)

    def names(**limits):
        loaded = Wd14(place=folder, **{**EVERYTHING, **limits}).load("cpu")
        return [tag.name for tag in loaded.tag([loaded.prepare(opened(photos)[0])])[0]]

    assert names() == ["safe", "a", "b", "someone", "somebody"]
    assert names(general=1) == ["safe", "someone", "somebody"]
    assert names(character=1) == ["safe", "a", "b", "somebody"]
    assert names(other=1) == ["safe", "a", "b", "someone"]
    loaded = Wd14(place=folder, **EVERYTHING).load("cpu")
    a, b = (tag.score for tag in loaded.tag([loaded.prepare(opened(photos)[0])])[0][1:3])
    assert [name for name in names(general=(a + b) / 2) if name in "ab"] == ["a" if a > b else "b"]


@pytest.mark.option("Wd14.model")
def test_a_model_is_found_by_its_name_in_our_own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("LIB_TRAINER_DATA", str(tmp_path / "own"))
    with pytest.raises(ModelError, match="no model for WD14"):
        Wd14().found()
    folder = make_tagger(tmp_path / "own" / "models" / "captioners" / "wd-mini")
    assert Wd14().found() == folder
    assert Wd14(model="wd-mini").found() == folder
    with pytest.raises(ModelError, match="Did you mean 'wd-mini'"):
        Wd14(model="wd-mimi").found()


def test_a_list_that_does_not_fit_the_model_is_refused(tmp_path):
    folder = make_tagger(tmp_path / "other", numbers=len(TAGS) + 2)
    with pytest.raises(ModelError, match=r"gives 15 numbers, but selected_tags\.csv beside it has 13 tags"):
        Wd14(place=folder).load("cpu")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.onnx", b"<html>not found</html>", "can't be read as an ONNX model"),
        ("model.onnx", b"", "can't be read as an ONNX model"),
        ("selected_tags.csv", b"tag,class\n1,2\n", "no columns 'name' and 'category'"),
        ("selected_tags.csv", b"", "no columns 'name' and 'category'"),
        ("selected_tags.csv", b"tag_id,name,category,count\n1,a\n", "is damaged near line 2"),
    ],
)
def test_a_damaged_file_is_named(tagger, name, content, said):
    (tagger / name).write_bytes(content)
    with pytest.raises(ModelError, match=said) as raised:
        Wd14(place=tagger).load("cpu")
    assert str(tagger / name) in str(raised.value)


def test_a_model_cut_off_in_the_middle_is_named(tagger):
    path = tagger / "model.onnx"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError, match="can't be read as an ONNX model"):
        Wd14(place=tagger).load("cpu")


def test_an_onnx_file_of_another_kind_is_refused(tagger):
    from onnx import TensorProto, helper

    flat = helper.make_graph(
        [helper.make_node("Relu", ["input"], ["output"])],
        "flat",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 3, 8, 8])],
    )
    onnx.save(helper.make_model(flat, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), tagger / "model.onnx")
    with pytest.raises(ModelError, match="a WD14 tagger takes pictures"):
        Wd14(place=tagger).load("cpu")
