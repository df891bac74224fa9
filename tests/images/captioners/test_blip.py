"""BLIP: what it says is what transformers itself says with the same weights, picture by picture."""

from __future__ import annotations

import shutil

import pytest

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.images.captioners.blip import MADE_UP, Blip, is_blip

pytestmark = pytest.mark.engine
torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from describer_miniatures import make_blip  # noqa: E402
from PIL import Image  # noqa: E402

BEAM = {"do_sample": False, "num_beams": 2, "min_length": 5, "max_length": 12}
NUCLEUS = {"do_sample": True, "num_beams": 1, "top_p": 0.9, "top_k": 0, "min_length": 5, "max_length": 12}
CASES = {
    "beam": ({}, BEAM),
    "beams": ({"beams": 1}, {**BEAM, "num_beams": 1}),
    "max_length": ({"max_length": 7}, {**BEAM, "max_length": 7}),
    "min_length": ({"min_length": 11}, {**BEAM, "min_length": 11}),
    "nucleus": ({"method": "nucleus"}, NUCLEUS),
    "top_p": ({"method": "nucleus", "top_p": 0.2}, {**NUCLEUS, "top_p": 0.2}),
    "seed": ({"method": "nucleus", "seed": 7}, {**NUCLEUS, "seed": 7}),
    "prefix": ({"prefix": "A photo of"}, {**BEAM, "prefix": "A photo of"}),
    "avoid": ({"avoid": ("red", "blue", "cat", "on")}, {**BEAM, "avoid": ("red", "blue", "cat", "on")}),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return make_blip(tmp_path_factory.mktemp("models") / "blip-mini")


@pytest.fixture(scope="module")
def terse(tmp_path_factory):
    """One that comes to the end of its sentences."""
    return make_blip(tmp_path_factory.mktemp("models") / "blip-terse", seed=7)


@pytest.fixture(scope="module")
def pictures():
    gradient = Image.linear_gradient("L").convert("RGB")
    return [Image.new("RGB", (50, 40), "red"), gradient.resize((32, 32)), Image.new("RGB", (9, 9))]


def by_transformers(folder, pictures, told):
    """As its own documentation does it: all of one batch where words are drawn by chance, else one by one."""
    from transformers import AutoTokenizer, BlipForConditionalGeneration, BlipProcessor
    from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

    told = dict(told)
    prefix, seed, avoid = told.pop("prefix", None), told.pop("seed", 42), told.pop("avoid", MADE_UP)
    processor = BlipProcessor(BlipImageProcessorPil.from_pretrained(folder), AutoTokenizer.from_pretrained(folder))
    words = [processor.tokenizer(word, add_special_tokens=False).input_ids for word in avoid]
    model = BlipForConditionalGeneration.from_pretrained(folder).eval()
    said = []
    for batch in [pictures] if told["do_sample"] else [[picture] for picture in pictures]:
        text = [prefix] * len(batch) if prefix else None
        inputs = processor(images=batch, text=text, return_tensors="pt")
        torch.manual_seed(seed)
        tokens = model.generate(**inputs, **told, bad_words_ids=words)
        said += processor.batch_decode(tokens, skip_special_tokens=True)
    return said


def by_us(folder, pictures, options):
    loaded = Blip(place=folder, **{"beams": 2, "max_length": 12, **options}).load("cpu")
    return loaded.describe([loaded.prepare(picture) for picture in pictures])


@pytest.mark.option("Blip.place", "Blip.method", "Blip.beams", "Blip.top_p", "Blip.seed", "Blip.min_length")
@pytest.mark.option("Blip.max_length", "Blip.prefix", "Blip.avoid")
@pytest.mark.parametrize("case", CASES)
def test_every_sentence_is_that_of_transformers(folder, terse, pictures, case):
    options, told = CASES[case]
    folder = terse if case == "min_length" else folder
    expected = by_transformers(folder, pictures, told)
    assert by_us(folder, pictures, options) == expected
    assert len(set(expected)) > 1
    if case != "beam":
        assert expected != by_transformers(folder, pictures, BEAM)


def test_a_sentence_that_begins_with_the_prefix_goes_on_from_it(folder, pictures):
    said = by_us(folder, pictures, {"prefix": "A photo of"})
    assert all(text.startswith("a photo of ") for text in said)


def test_words_to_avoid_are_not_said(folder, pictures):
    free = by_us(folder, pictures, {"avoid": ()})
    word = free[0].split()[0]
    assert all(word not in text.split() for text in by_us(folder, pictures, {"avoid": (word,)}))


def test_sentences_shorter_than_their_shortest_are_refused(folder):
    with pytest.raises(ConfigError, match="min_length' is 9, but 'describer"):
        Blip(place=folder, min_length=9, max_length=8).load("cpu")


@pytest.mark.option("Blip.model")
def test_the_model_of_a_name_is_taken(folder, terse, tmp_path, monkeypatch):
    monkeypatch.setenv("LIB_TRAINER_DATA", str(tmp_path))
    shutil.copytree(folder, tmp_path / "models" / "captioners" / "a")
    shutil.copytree(terse, tmp_path / "models" / "captioners" / "b")
    assert [Blip(model=name).found().name for name in ("", "a", "b")] == ["a", "a", "b"]


def test_only_a_model_that_writes_captions_counts(folder, tmp_path):
    assert is_blip(folder)
    assert not is_blip(tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "blip", "architectures": ["BlipForQuestionAnswering"]}')
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert not is_blip(tmp_path)
    (tmp_path / "config.json").write_text("[]")
    assert not is_blip(tmp_path)


CUT = ["model.safetensors", "vocab.txt", "tokenizer_config.json", "preprocessor_config.json", "config.json"]


@pytest.mark.parametrize("name", CUT)
def test_a_file_cut_off_is_told_in_a_sentence(tmp_path, name):
    folder = make_blip(tmp_path / "blip")
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(ModelError) as raised:
        Blip(place=folder).load("cpu")
    assert str(folder) in str(raised.value)
    assert str(raised.value).count("\n") == 0


def test_an_empty_file_of_the_old_kind_is_told_in_a_sentence(tmp_path):
    folder = make_blip(tmp_path / "blip")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelError, match=r"can't be used .*; fetch its files again"):
        Blip(place=folder).load("cpu")


def test_weights_that_are_missing_are_not_made_up(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = make_blip(tmp_path / "blip")
    weights = load_file(folder / "model.safetensors")
    del weights["text_decoder.bert.encoder.layer.0.attention.self.query.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights, such as text_decoder\.bert"):
        Blip(place=folder).load("cpu")
