from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import DataError, ModelError, StopRequested  # noqa: E402
from lib_trainer.core.events import Notice, Progress  # noqa: E402
from lib_trainer.dataset import encoding, opening  # noqa: E402
from lib_trainer.dataset.context import DatasetContext  # noqa: E402
from lib_trainer.dataset.dataset import Dataset  # noqa: E402
from lib_trainer.dataset.opening import open_dataset  # noqa: E402
from lib_trainer.dataset.options import DatasetOptions  # noqa: E402
from lib_trainer.images.options import BucketOptions  # noqa: E402

Make = Callable[..., Path]


@pytest.fixture
def options(tmp_path: Path) -> DatasetOptions:
    return DatasetOptions(folder=tmp_path / "pictures", buckets=BucketOptions(resolution=64, step=8))


@pytest.fixture
def pictures(make_picture: Make) -> list[Path]:
    return [make_picture(f"{number}.png", (70, 70)) for number in range(4)]


def latents(dataset: Dataset) -> dict[Path, torch.Tensor]:
    batches = [dataset.load(plan, 0) for plan in dataset.batches(0)]
    return {path: torch.stack([mean, std]) for batch in batches
            for path, mean, std in zip(batch.paths, batch.mean, batch.std, strict=True)}


def equal(one: dict[Path, torch.Tensor], other: dict[Path, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[path], other[path]) for path in one)


def files(context: DatasetContext) -> list[Path]:
    return sorted((context.cache / "latents").rglob("*.latent"))


def test_a_second_opening_encodes_nothing_and_gives_the_same_latents(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path]
) -> None:
    first = latents(open_dataset(options, model, context))
    assert model.encoded_pictures == 4
    assert equal(latents(open_dataset(options, model, context)), first)
    assert model.encoded_pictures == 4


def test_a_picture_that_moved_or_got_another_name_is_not_encoded_again(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], tmp_path: Path
) -> None:
    open_dataset(options, model, context)
    pictures[0].rename(tmp_path / "pictures" / "renamed.png")
    open_dataset(options, model, context)
    assert model.encoded_pictures == 4


def test_changed_bytes_are_encoded_again(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], make_picture: Make
) -> None:
    first = latents(open_dataset(options, model, context))
    make_picture("0.png", (70, 70), seed=1)
    second = latents(open_dataset(options, model, context))
    assert model.encoded_pictures == 5
    assert not torch.equal(first[pictures[0]], second[pictures[0]])
    assert torch.equal(first[pictures[1]], second[pictures[1]])


def test_another_crop_is_encoded_again(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path]
) -> None:
    open_dataset(options, model, context)
    larger = dataclasses.replace(options, buckets=BucketOptions(resolution=72, step=8))
    assert all(pair.shape[-1] == 9 for pair in latents(open_dataset(larger, model, context)).values())
    assert model.encoded_pictures == 8


def test_another_vae_encodes_again(
    options: DatasetOptions, model: Any, other_model: Any, context: DatasetContext, pictures: list[Path]
) -> None:
    first = latents(open_dataset(options, model, context))
    second = latents(open_dataset(options, other_model, context))
    assert other_model.encoded_pictures == 4
    assert not any(torch.equal(first[path], second[path]) for path in pictures)


def test_another_precision_of_the_vae_encodes_again(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path]
) -> None:
    open_dataset(options, model, context)
    model.vae_dtype = torch.bfloat16
    open_dataset(options, model, context)
    assert model.encoded_pictures == 8


def test_the_same_picture_twice_is_encoded_once(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "pictures" / "copy.png").write_bytes(pictures[0].read_bytes())
    found = latents(open_dataset(options, model, context))
    assert model.encoded_pictures == 4
    assert torch.equal(found[tmp_path / "pictures" / "copy.png"], found[pictures[0]])


@pytest.mark.parametrize("damage", [lambda data: data[:50], lambda data: b"", lambda data: data[:-1] + b"?"])
@pytest.mark.parametrize("memory", [0, 10**9])
def test_a_damaged_cache_file_is_named_and_replaced(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], recording: Any,
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes], memory: int,
) -> None:
    monkeypatch.setattr(opening, "MEMORY_BYTES", memory)
    first = latents(open_dataset(options, model, context))
    whole = files(context)[2].read_bytes()
    files(context)[2].write_bytes(damage(whole))
    assert equal(latents(open_dataset(options, model, context)), first)
    assert model.encoded_pictures == 5
    assert recording.messages.count("are damaged") == 1
    assert "the picture is encoded again" in recording.messages
    assert files(context)[2].read_bytes() == whole


def test_large_datasets_are_read_from_disk_and_small_ones_from_memory(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_memory = open_dataset(options, model, context)
    monkeypatch.setattr(opening, "MEMORY_BYTES", 4 * 2 * 4 * 8 * 8 * 4 - 1)
    on_disk = open_dataset(options, model, context)
    expected = latents(on_disk)
    for file in files(context):
        file.unlink()
    assert equal(latents(in_memory), expected)
    assert model.encoded_pictures == 4
    assert equal(latents(on_disk), expected)
    assert model.encoded_pictures == 8


def test_a_latent_and_its_picture_both_gone_is_an_error_naming_the_picture(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, "MEMORY_BYTES", 0)
    dataset = open_dataset(options, model, context)
    for path in [*files(context), *pictures]:
        path.unlink()
    with pytest.raises(DataError, match=r"pictures.*\.png was there when training began"):
        latents(dataset)


def test_pictures_of_one_size_are_encoded_together_within_the_limit(
    options: DatasetOptions, model: Any, context: DatasetContext, make_picture: Make, pictures: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        make_picture(f"wide {number}.png", (96, 48))
    monkeypatch.setattr(encoding, "CPU_BATCH_PIXELS", 3 * 64 * 64)
    open_dataset(options, model, context)
    assert sorted(model.batches) == [(1, 64, 64), (3, 40, 88), (3, 64, 64)]


def test_progress_ends_at_the_number_of_pictures(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], recording: Any
) -> None:
    open_dataset(options, model, context)
    encoding_events = [event for event in recording.of(Progress) if event.stage == "Encoding pictures"]
    assert (encoding_events[-1].done, encoding_events[-1].total, encoding_events[-1].unit) == (4, 4, "pictures")
    recording.events.clear()
    open_dataset(options, model, context)
    assert {event.stage for event in recording.of(Progress)} == {"Looking at pictures"}


def test_a_stop_is_obeyed_between_batches_and_what_is_done_is_kept(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "CPU_BATCH_PIXELS", 2 * 64 * 64)
    stopping = dataclasses.replace(context, should_stop=lambda: model.encoded_pictures >= 2)
    with pytest.raises(StopRequested):
        open_dataset(options, model, stopping)
    assert len(files(context)) == 2
    open_dataset(options, model, context)
    assert model.encoded_pictures == 4


@pytest.mark.parametrize("message", ["CUDA out of memory. Tried", "DefaultCPUAllocator: can't allocate memory"])
def test_too_little_memory_halves_the_batch_with_a_notice(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], recording: Any, message: str
) -> None:
    expected = latents(open_dataset(options, model, dataclasses.replace(context, cache=context.cache / "calm")))
    encode = model.encode_pictures

    def encode_one(pixels: torch.Tensor) -> Any:
        if len(pixels) > 1:
            raise RuntimeError(message)
        return encode(pixels)

    model.batches.clear()
    model.encode_pictures = encode_one
    found = latents(open_dataset(options, model, context))
    assert [count for count, _, _ in model.batches] == [1, 1, 1, 1]
    assert [notice.message.split(";")[1] for notice in recording.of(Notice) if "too short" in notice.message] == [
        " it goes on with 2, more slowly.", " it goes on with 1, more slowly.",
    ]
    for path, pair in expected.items():
        torch.testing.assert_close(found[path], pair, rtol=1e-4, atol=1e-5)


def test_too_little_memory_for_one_picture_goes_up(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path]
) -> None:
    def encode_none(pixels: torch.Tensor) -> Any:
        raise RuntimeError("CUDA out of memory")

    model.encode_pictures = encode_none
    with pytest.raises(RuntimeError, match="out of memory"):
        open_dataset(options, model, context)


def test_other_errors_of_the_vae_are_not_taken_for_too_little_memory(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path], recording: Any
) -> None:
    def encode_wrongly(pixels: torch.Tensor) -> Any:
        raise RuntimeError("shapes do not match")

    model.encode_pictures = encode_wrongly
    with pytest.raises(RuntimeError, match="shapes"):
        open_dataset(options, model, context)
    assert "too short" not in recording.messages


def test_latents_that_are_not_finite_are_refused_and_not_cached(
    options: DatasetOptions, model: Any, context: DatasetContext, pictures: list[Path]
) -> None:
    model.vae.quant_conv.bias.data[0] = float("nan")
    with pytest.raises(ModelError, match=r"tiny\.safetensors.*not finite.*\.png"):
        open_dataset(options, model, context)
    assert files(context) == []
