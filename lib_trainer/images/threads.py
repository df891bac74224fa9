"""Work on many files at once: Pillow and the disk let other threads run while they are busy."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST_THREADS = 8  # each may hold a whole decoded picture
AHEAD = 4  # results that may wait for a slow one, for each thread


def in_threads(
    work: Callable[[Item], Result], items: Iterable[Item], should_stop: Callable[[], bool] = lambda: False
) -> Generator[Result, None, None]:
    """The results in the order of the items; once `should_stop`, what is begun is finished and the rest left out.

    Close the generator when it is not used up, so that nothing more is begun.
    """
    threads = min(MOST_THREADS, (os.cpu_count() or 1) + 1)
    rest = iter(items)
    begun: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                if should_stop():
                    rest = iter(())
                    begun = deque(future for future in begun if not future.cancel())
                begun.extend(pool.submit(work, item) for item in islice(rest, AHEAD * threads - len(begun)))
                if not begun:
                    break
                yield begun.popleft().result()
        finally:
            for future in begun:
                future.cancel()
