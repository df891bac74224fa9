"""Taking many pictures at once: politely towards each server, and again later where that may do."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from urllib.parse import urlsplit

from lib_trainer.core.errors import StopRequested
from lib_trainer.images.promptlog.options import DownloadOptions
from lib_trainer.images.promptlog.outcomes import NotTaken, TryLater
from lib_trainer.images.promptlog.selection import Wanted
from lib_trainer.images.promptlog.taking import Taken

WINDOW = 1000  # pictures among which the next one is chosen
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0  # seconds between two attempts, doubled each time
MOST_UNREACHABLE = 20  # attempts in a row at a server that is not there
LOOK_SECONDS = 0.1
LOCAL = "a folder"


@dataclass(frozen=True)
class Outcome:
    """What became of one picture: taken, or left out for a reason."""

    wanted: Wanted
    taken: Taken | None
    reason: str = ""


@dataclass
class _Task:
    wanted: Wanted
    attempts: int = 0
    not_before: float = 0.0


@dataclass
class _Host:
    waiting: deque[_Task] = field(default_factory=deque)
    running: int = 0
    free_from: float = 0.0
    unreachable: int = 0

    def next(self, now: float, options: DownloadOptions) -> _Task | None:
        """A task that may begin now."""
        if not self.waiting or self.running >= options.per_host or now < self.free_from:
            return None
        for _ in range(len(self.waiting)):
            if self.waiting[0].not_before <= now:
                self.running += 1
                self.free_from = now + options.pause
                return self.waiting.popleft()
            self.waiting.rotate(-1)
        return None


class _Queue:
    """What waits and what runs, by host."""

    def __init__(self, options: DownloadOptions) -> None:
        self._options = options
        self._hosts: dict[str, _Host] = {}
        self.waiting = 0

    def put(self, task: _Task) -> None:
        self._hosts.setdefault(host_of(task.wanted.link), _Host()).waiting.append(task)
        self.waiting += 1

    def next(self) -> _Task | None:
        """A task that may begin now, each host in its turn."""
        now = time.monotonic()
        for name, host in list(self._hosts.items()):
            if task := host.next(now, self._options):
                self.waiting -= 1
                self._hosts[name] = self._hosts.pop(name)  # it is the others' turn
                return task
            if not host.waiting and not host.running and not host.unreachable and host.free_from < now:
                del self._hosts[name]
        return None

    def ended(self, task: _Task, taken: Taken | NotTaken | TryLater) -> Outcome | None:
        """What became of the picture; None where it will be tried again."""
        host = self._hosts[host_of(task.wanted.link)]
        host.running -= 1
        task.attempts += 1
        if isinstance(taken, Taken):
            host.unreachable = 0
            return Outcome(task.wanted, taken)
        if isinstance(taken, NotTaken):
            host.unreachable = 0
            return Outcome(task.wanted, None, str(taken))
        host.unreachable = host.unreachable + 1 if taken.is_unreachable else 0
        if task.attempts >= self._options.attempts or host.unreachable >= MOST_UNREACHABLE:
            return Outcome(task.wanted, None, str(taken))
        now = time.monotonic()
        if taken.wait:
            host.free_from = max(host.free_from, now + taken.wait)
        task.not_before = now + max(taken.wait, min(LONGEST_WAIT, FIRST_WAIT * 2 ** (task.attempts - 1)))
        self.put(task)
        return None


def take_all(
    wanted: Iterator[Wanted],
    take: Callable[[Wanted], Taken],
    options: DownloadOptions,
    should_stop: Callable[[], bool],
) -> Iterator[Outcome]:
    """What became of each picture, as soon as it is known; once `should_stop`, no more is begun.

    Raises:
        TrainerError: as `take`.
    """
    queue, running = _Queue(options), dict[Future[Taken], _Task]()
    with ThreadPoolExecutor(options.at_once) as pool:
        try:
            while not should_stop():
                for each in islice(wanted, max(0, WINDOW - queue.waiting)):
                    queue.put(_Task(each))
                while len(running) < options.at_once and (task := queue.next()):
                    running[pool.submit(take, task.wanted)] = task
                if not running and not queue.waiting:
                    return
                if not running:
                    time.sleep(LOOK_SECONDS)
                for future in wait(running, LOOK_SECONDS, FIRST_COMPLETED).done if running else ():
                    outcome = queue.ended(running.pop(future), _result(future))
                    if outcome is not None:
                        yield outcome
            yield from _last(running)
        finally:
            for future in running:
                future.cancel()


def _last(running: dict[Future[Taken], _Task]) -> Iterator[Outcome]:
    """What still ends well after a request to stop."""
    for future, task in running.items():
        try:
            yield Outcome(task.wanted, future.result())
        except (NotTaken, TryLater, StopRequested):
            continue


def _result(future: Future[Taken]) -> Taken | NotTaken | TryLater:
    try:
        return future.result()
    except (NotTaken, TryLater) as end:
        return end
    except StopRequested:
        return TryLater("it was broken off")


def host_of(link: str) -> str:
    """The server of a link."""
    try:
        return (urlsplit(link).hostname or LOCAL).lower()
    except ValueError:
        return LOCAL
