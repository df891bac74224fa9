"""Pictures decoded in threads, a bounded number ahead of who needs them, in the order they were asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import torch

from lib_trainer.dataset.cache import View
from lib_trainer.images.buckets import cut
from lib_trainer.images.pixels import PictureError, open_picture

THREADS = 4

Decoded = torch.Tensor | str  # bytes [height, width, 3], or why the picture can't be read


def decode_ahead(views: Sequence[View], background: str, ahead: int) -> Generator[Decoded, None, None]:
    """Each view decoded, in order; at most `ahead` of them wait or are in work at any time."""
    remaining = iter(views)
    waiting: deque[Future[Decoded]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        try:
            waiting.extend(pool.submit(decode, view, background) for view in islice(remaining, ahead))
            while waiting:
                decoded = waiting.popleft().result()
                waiting.extend(pool.submit(decode, view, background) for view in islice(remaining, 1))
                yield decoded
        finally:
            pool.shutdown(cancel_futures=True)


def decode(view: View, background: str) -> Decoded:
    """The bytes [height, width, 3] of a view, or the reason why they can't be had."""
    from numpy import asarray

    try:
        picture = cut(open_picture(view.path, background), view.scaled, view.box)
    except PictureError as error:
        return error.reason
    pixels = torch.from_numpy(asarray(picture).copy())
    return pixels.flip(1) if view.mirrored else pixels
