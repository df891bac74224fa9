"""Florence-2: what it says is what transformers itself says with the same weights, picture by picture."""

from __future__ import annotations

import shutil

import pytest

from lib_trainer.core.errors import ModelError
from lib_trainer.images.captioners.florence2 import Florence2, is_florence2

pytestmark = pytest.mark.engine
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from describer_miniatures import make_florence  # noqa: E402
from PIL import Image  # noqa: E402

CASES = {
    "long": ({}, "<DETAILED_CAPTION>", 2, 8),
    "short": ({"detail": "short"}, "<CAPTION>", 2, 8),
    "paragraph": ({"detail": "paragraph"}, "<MORE_DETAILED_CAPTION>", 2, 8),
    "beams": ({"beams": 1}, "<DETAILED_CAPTION>", 1, 8),
    "most_tokens": ({"most_tokens": 5}, "<DETAILED_CAPTION>", 2, 5),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_florence(tmp_path_factory.mktemp("models") / "florence-mini")


@pytest.fixture(scope="module")
def pictures():
    gradient = Image.linear_gradient("L").convert("RGB")
    return [Image.new("RGB", (50, 40), "red"), gradient.resize((32, 32)), Image.new("RGB", (9, 9))]


def by_transformers(folder, pictures, task, beams, length):
    """As its own documentation does it, with what it does to text without places in it."""
    from transformers import AutoTokenizer, Florence2ForConditionalGeneration, Florence2Processor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    processor = Florence2Processor(CLIPImageProcessorPil.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))
    model = Florence2ForConditionalGeneration.from_pretrained(folder).eval()
    said = []
    for picture in pictures:
        inputs = processor(text=task, images=picture, return_tensors="pt")
        tokens = model.generate(**inputs, max_new_tokens=length, num_beams=beams, do_sample=False)
        text = processor.batch_decode(tokens, skip_special_tokens=False)[0].replace("<pad>", "")
        said.append(" ".join(text.replace("<s>", "").replace("</s>", "").split()))
    return said


@pytest.mark.option("Florence2.place", "Florence2.detail", "Florence2.beams", "Florence2.most_tokens")
@pytest.mark.parametrize("case", CASES)
def test_every_text_is_that_of_transformers(folder, pictures, case):
    options, *told = CASES[case]
    loaded = Florence2(place=folder, **{"beams": 2, "most_tokens": 8, **options}).load("cpu")
    expected = by_transformers(folder, pictures, *told)
    assert loaded.describe([loaded.prepare(picture) for picture in pictures]) == expected
    assert len(set(expected)) > 1
    if case != "long":
        assert expected != by_transformers(folder, pictures, *CASES["long"][1:])


@pytest.mark.option("Florence2.model")
def test_the_model_of_a_name_is_taken(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("LIB_TRAINER_DATA", str(tmp_path))
    for name in ("a", "b"):
        shutil.copytree(folder, tmp_path / "models" / "captioners" / name)
    assert [Florence2(model=name).found().name for name in ("", "a", "b")] == ["a", "a", "b"]


def test_a_folder_that_brings_code_of_its_own_is_not_taken(folder):
    assert is_florence2(folder)
    code = folder / "modeling_florence2.py"
    code.write_text("")
    assert not is_florence2(folder)
    code.unlink()


def test_a_cut_off_model_is_told_in_a_sentence(tmp_path):
    folder = make_florence(tmp_path / "florence")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ModelError, match="can't be used"):
        Florence2(place=folder).load("cpu")
