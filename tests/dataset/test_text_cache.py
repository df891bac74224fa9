from __future__ import annotations

import dataclasses
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import StopRequested  # noqa: E402
from lib_trainer.core.events import Progress  # noqa: E402
from lib_trainer.dataset import text_cache  # noqa: E402
from lib_trainer.dataset.context import DatasetContext  # noqa: E402
from lib_trainer.dataset.text_cache import TextCache  # noqa: E402
from lib_trainer.models.prompt import PromptReader  # noqa: E402

CAPTIONS = ["a cat", "a dog", ""]


def by_hand(model: Any, captions: list[str], clip_skip: int = 1) -> torch.Tensor:
    return model.encode_text(model.tokenize(captions), clip_skip)


def captions_given(model: Any) -> list[list[str]]:
    """The batches that were encoded; the cache also asks once how long an encoding is."""
    return [batch for batch in model.encoded_captions if batch != [""]]


def test_prepared_captions_equal_those_encoded_by_hand(model: Any, context: DatasetContext) -> None:
    cache = TextCache(PromptReader(model, 2), context)
    assert cache.prepare([*CAPTIONS, "a cat"]) == 3
    assert torch.equal(cache.encode(["a dog", "", "a dog"]), by_hand(model, ["a dog", "", "a dog"], 2))


def test_prepared_captions_need_no_text_encoder_any_more(model: Any, context: DatasetContext) -> None:
    expected = by_hand(model, CAPTIONS)
    cache = TextCache(PromptReader(model, 1), context)
    cache.prepare(CAPTIONS)
    del model.parts["text_encoder"]
    assert torch.equal(cache.encode(CAPTIONS), expected)


def test_a_second_run_encodes_nothing(model: Any, context: DatasetContext) -> None:
    TextCache(PromptReader(model, 1), context).prepare(CAPTIONS)
    again = TextCache(PromptReader(model, 1), context)
    model.encoded_captions.clear()
    assert again.prepare(CAPTIONS) == 0
    again.encode(CAPTIONS)
    assert model.encoded_captions == []


def test_other_encoder_clip_skip_or_number_format_encode_again(
    model: Any, other_model: Any, context: DatasetContext
) -> None:
    TextCache(PromptReader(model, 1), context).prepare(CAPTIONS)
    assert TextCache(PromptReader(other_model, 1), context).prepare(CAPTIONS) == 3
    assert TextCache(PromptReader(model, 2), context).prepare(CAPTIONS) == 3
    for part in model.parts.values():
        part.bfloat16()
    assert TextCache(PromptReader(model, 1), context).prepare(CAPTIONS) == 3


def test_captions_that_were_not_prepared_are_encoded_as_one_batch(model: Any, context: DatasetContext) -> None:
    cache = TextCache(PromptReader(model, 1), context)
    cache.prepare(CAPTIONS)
    model.encoded_captions.clear()
    assert torch.equal(cache.encode(["dog, cat", "a cat"]), by_hand(model, ["dog, cat", "a cat"]))
    assert captions_given(model)[0] == ["dog, cat", "a cat"]


def test_a_damaged_file_is_named_and_made_anew(model: Any, context: DatasetContext, recording: Any) -> None:
    cache = TextCache(PromptReader(model, 1), context)
    cache.prepare(CAPTIONS)
    cache.file("a dog").write_bytes(b"rubbish")
    again = TextCache(PromptReader(model, 1), context)
    assert again.prepare(CAPTIONS) == 1
    assert "'a dog' is damaged" in recording.messages
    assert torch.equal(again.encode(CAPTIONS), by_hand(model, CAPTIONS))
    assert TextCache(PromptReader(model, 1), context).prepare(CAPTIONS) == 0


def test_what_memory_does_not_hold_comes_from_disk(
    model: Any, context: DatasetContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_cache, "MEMORY_BYTES", by_hand(model, [""]).nbytes)
    cache = TextCache(PromptReader(model, 1), context)
    cache.prepare(CAPTIONS)
    model.encoded_captions.clear()
    states = cache.encode(CAPTIONS)
    assert model.encoded_captions == []
    assert torch.equal(states, by_hand(model, CAPTIONS))
    cache.file("a dog").unlink()
    assert torch.equal(cache.encode(["a dog"]), by_hand(model, ["a dog"]))


def test_autocast_around_it_changes_nothing(model: Any, context: DatasetContext) -> None:
    model.parts["text_encoder"] = torch.nn.Sequential(model.parts["text_encoder"], torch.nn.Linear(6, 6))
    cache = TextCache(PromptReader(model, 1), context)
    with torch.autocast("cpu", torch.bfloat16):
        states = cache.encode(["a cat"])
    assert states.dtype == torch.float32


def test_a_stop_is_obeyed_between_batches_and_what_is_done_is_kept(
    model: Any, context: DatasetContext, recording: Any
) -> None:
    captions = [f"caption {number}" for number in range(40)]
    recording.looks_before_stop = 1
    with pytest.raises(StopRequested):
        TextCache(PromptReader(model, 1), context).prepare(captions)
    going_on = dataclasses.replace(context, should_stop=lambda: False)
    assert TextCache(PromptReader(model, 1), going_on).prepare(captions) == 40 - text_cache.BATCH
    progress = recording.of(Progress)[-1]
    assert (progress.done, progress.total, progress.unit) == (24, 24, "captions")
