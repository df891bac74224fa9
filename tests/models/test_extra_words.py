"""Words that a model is taught: their places in texts, their rows in the encoders, as the WebUI has them."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.clip_tokens import BEGIN, END, ClipTokens  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.prompt import encode_prompts  # noqa: E402
from lib_trainer.models.text_options import WEBUI  # noqa: E402
from tests.models.families import CHECKPOINTS, SDXL  # noqa: E402

FIRST = 49408
A, CAT, RED, APPLE, COMMA = 320, 2368, 736, 3055, 267  # by the vocabulary's file


def rows(model, vectors, seed=0):
    assert model.parts  # the tables are filled with them
    generator = torch.Generator().manual_seed(seed)
    tables = model.extra_words.tables.items()
    return {name: torch.randn(vectors, table.weight.shape[1], generator=generator) for name, table in tables}


def test_ids_are_those_of_the_vocabulary_without_frame_and_uncut(model):
    assert model.token_ids("A cat, a RED apple") == [A, CAT, COMMA, A, RED, APPLE]
    assert model.token_ids("") == []
    assert model.token_ids("cat " * 200) == [CAT] * 200


def test_the_frame_holds_75_tokens_and_pads_as_the_family_does():
    framed = ClipTokens().framed([[CAT], [CAT] * 80])
    assert framed.shape == (2, 77) and framed[0].tolist() == [BEGIN, CAT] + [END] * 75
    assert framed[1].tolist() == [BEGIN] + [CAT] * 75 + [END]
    assert ClipTokens("zero").framed([[CAT]])[0].tolist() == [BEGIN, CAT, END] + [0] * 74
    assert ClipTokens()([]).shape == (0, 77)


def test_a_word_stands_wherever_its_tokens_come_and_the_longest_wins(model):
    words = model.extra_words
    words.add("cat", rows(model, 2))
    long = words.add("Red Apple", rows(model, 3))
    words.add("apple", rows(model, 1))
    assert model.token_ids("a red apple, cat apple") == [
        A, FIRST + 2, FIRST + 3, FIRST + 4, COMMA, FIRST, FIRST + 1, FIRST + 5,
    ]  # fmt: skip
    assert [words.vectors_from(token) for token in (A, FIRST, FIRST + 1, FIRST + 2, FIRST + 5)] == [1, 2, 1, 3, 1]
    words.remove(long)
    assert model.token_ids("red apple cats") == [RED, FIRST + 2, *ClipTokens().ids("cats")]
    with pytest.raises(ModelError, match="'CAT' is there twice"):
        words.add("CAT", rows(model, 1))
    with pytest.raises(ModelError, match="no letters"):
        words.add(" ", rows(model, 1))


def test_rows_of_known_tokens_change_nothing_and_others_do(model):
    """The rows of `red apple` itself, under another word: the very states of `red apple`."""
    table = model.parts["text_encoder"].embeddings.token_embedding.weight
    with torch.no_grad():
        alone = model.encode_text(model.tokenize(["a cat"]), 1)
        wanted = model.encode_text(model.tokenize(["a red apple, a cat"]), 1)
        word = model.extra_words.add("openmoji", {"emb_params": table[[RED, APPLE]].float()})
        assert torch.equal(model.encode_text(model.tokenize(["an openmoji, a cat".replace("an", "a")]), 1), wanted)
        assert torch.equal(model.encode_text(model.tokenize(["a cat"]), 1), alone)
        model.extra_words.remove(word)
        assert not torch.equal(model.encode_text(model.tokenize(["a openmoji, a cat"]), 1), wanted)


def test_a_gradient_reaches_the_rows_and_is_nought_where_the_word_is_not_said(model):
    trained = torch.nn.Parameter(rows(model, 2)["emb_params"])
    model.extra_words.add("openmoji", {"emb_params": trained})
    model.encode_text(model.tokenize(["a cat"]), 1).sum().backward()
    assert trained.grad is not None and not trained.grad.any()
    model.encode_text(model.tokenize(["an openmoji"]), 1).square().sum().backward()
    assert trained.grad.any(dim=1).all()


def test_words_are_no_part_of_the_models_file(model):
    before = list(model.original_tensors())
    model.extra_words.add("openmoji", {"emb_params": torch.nn.Parameter(rows(model, 2)["emb_params"])})
    assert list(model.original_tensors()) == before
    assert list(model.parts["text_encoder"].state_dict()) == [
        name for name, _ in model.parts["text_encoder"].named_parameters()
    ]


def test_sdxl_has_a_row_in_each_encoder(tmp_path, cpu):
    model = load_model(CHECKPOINTS["sdxl"](tmp_path / "sdxl.safetensors"), torch.float32, cpu)
    made = rows(model, 2)
    assert {name: tuple(tensor.shape) for name, tensor in made.items()} == {
        "clip_l": (2, SDXL.text.width), "clip_g": (2, SDXL.second_text.width),
    }  # fmt: skip
    tables = model.extra_words.tables
    known = {name: table.weight[[RED, APPLE]].float() for name, table in tables.items()}
    with torch.no_grad():
        wanted = model.encode_text(model.tokenize(["red apple"]), 1)
        model.extra_words.add("openmoji", known)
        assert torch.equal(model.encode_text(model.tokenize(["openmoji"]), 1), wanted)


def test_pieces_tell_whole_words_from_fragments():
    assert ClipTokens().pieces("red apple") == ["red</w>", "apple</w>"]
    assert ClipTokens().pieces("openmoji") == ["open", "mo", "ji</w>"]


def test_a_word_that_no_window_has_room_for_goes_into_the_next_whole_and_emphasis_takes_all_of_it(model):
    """As `tokenize_line` of AUTOMATIC1111's `sd_hijack_clip.py`; its own code gave the same states for such prompts."""
    model.extra_words.add("openmoji", rows(model, 3))

    def states(*ids):
        return model.encode_text(model.framed(ids), 1)

    with torch.no_grad():
        (plain,) = encode_prompts(model, ["cat " * 73 + "openmoji"], 1, WEBUI)
        (louder,) = encode_prompts(model, ["cat " * 73 + "(openmoji:1.5)"], 1, WEBUI)
        wanted = states([CAT] * 73, [FIRST, FIRST + 1, FIRST + 2])
    assert torch.allclose(plain, wanted.flatten(0, 1), atol=1e-6)
    grown = (louder / plain)[77:].median(dim=1).values
    mean = grown[0]  # emphasis keeps each window's mean: what has no weight is scaled as well
    assert torch.allclose(grown / mean, torch.tensor([1.0, 1.5, 1.5, 1.5] + [1.0] * 73), rtol=1e-4)
