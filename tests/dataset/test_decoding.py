from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.dataset import decoding  # noqa: E402
from lib_trainer.dataset.cache import View  # noqa: E402
from lib_trainer.dataset.decoding import decode, decode_ahead  # noqa: E402


def views(count: int) -> list[View]:
    return [View(Path(f"{number}.png"), str(number), (8, 8), (0, 0, 8, 8)) for number in range(count)]


class CountingDecoder:
    """Stands in for decoding: notes how many pictures were begun, and makes the early ones the slow ones."""

    def __init__(self) -> None:
        self.begun = 0
        self._lock = threading.Lock()

    def __call__(self, view: View, background: str) -> torch.Tensor | str:
        with self._lock:
            self.begun += 1
        time.sleep(0.01 / (1 + int(view.digest)))
        return view.digest


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> CountingDecoder:
    counting = CountingDecoder()
    monkeypatch.setattr(decoding, "decode", counting)
    return counting


def test_pictures_come_in_the_order_they_were_asked_for(decoder: CountingDecoder) -> None:
    assert list(decode_ahead(views(20), "white", 7)) == [str(number) for number in range(20)]


def test_never_more_than_asked_for_are_decoded_ahead(decoder: CountingDecoder) -> None:
    stream = decode_ahead(views(40), "white", 6)
    ahead = []
    for taken in range(1, 20):
        next(stream)
        time.sleep(0.005)
        ahead.append(decoder.begun - taken)
    stream.close()
    assert 1 < max(ahead) <= 6


def test_closing_early_begins_no_more_pictures(decoder: CountingDecoder) -> None:
    stream = decode_ahead(views(1000), "white", 100)
    next(stream)
    stream.close()
    begun = decoder.begun
    time.sleep(0.02)
    assert decoder.begun == begun < 100


def test_pixels_are_those_of_the_picture_and_mirrored_ones_run_from_right_to_left(tmp_path: Path) -> None:
    from PIL import Image

    image = Image.new("RGB", (8, 8), "black")
    image.putpixel((1, 2), (10, 20, 30))
    image.save(tmp_path / "a.png")
    view = View(tmp_path / "a.png", "", (8, 8), (0, 0, 8, 8))
    plain, mirrored = decode(view, "white"), decode(view.mirror(), "white")
    assert plain.shape == (8, 8, 3)
    assert plain[2, 1].tolist() == mirrored[2, 6].tolist() == [10, 20, 30]
    assert int(plain.sum()) == int(mirrored.sum()) == 60


def test_a_picture_that_cannot_be_read_gives_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    assert decode(View(tmp_path / "a.png", "", (8, 8), (0, 0, 8, 8)), "white") == "the file is empty"
