"""What the page's process does for a run at work, where its host can: enlarge pictures, say what is on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.host_desk import DeclinedError, offering
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners.webui import DESCRIBE, TAG
from lib_trainer.ui.host import Host

ENLARGE = "enlarge"  # as images/crops/enlarging.py asks


@dataclass(frozen=True)
class Help:
    """One thing a host may be able to do: for which step, where which option has which value."""

    step: str
    option: str
    value: str
    names: Callable[[Host], list[str]]
    work: Callable[[Host, Path, Path, dict[str, Any], RunDirectory], None]

    def is_wanted(self, step: str, config: dict[str, Any]) -> bool:
        """Whether a run of that step, with that configuration as plain data, asks for it."""
        told = config.get(self.option)
        return step == self.step and (told.get("type") if isinstance(told, dict) else told) == self.value


def _enlarge(host: Host, source: Path, target: Path, told: dict[str, Any], run: RunDirectory) -> None:
    host.enlarge(source, target, told, run)


def _interrogate(host: Host, source: Path, target: Path, told: dict[str, Any], run: RunDirectory) -> None:
    host.interrogate(source, target, told, run)


HELP = {
    ENLARGE: Help("prepare", "enlarge", "webui", lambda host: host.upscalers(), _enlarge),
    DESCRIBE: Help(
        "caption", "describer", "webui", lambda host: [DESCRIBE] * (DESCRIBE in host.interrogators()), _interrogate
    ),
    TAG: Help(
        "caption", "tagger", "webui deepbooru", lambda host: [TAG] * (TAG in host.interrogators()), _interrogate
    ),
}


@contextmanager
def helping(host: Host, run: RunDirectory) -> Iterator[Callable[[], None]]:
    """For as long as the block lasts: yields what does what the run's engine waits for now, and is to be called often.

    Raises:
        OSError: the run's folder can't be written.
    """
    step, config = run.job()
    wanted = {what: each.names(host) for what, each in HELP.items() if each.is_wanted(step, config)}
    offers = {what: names for what, names in wanted.items() if names}
    if not offers:
        yield lambda: None
        return

    def work(source: Path, target: Path, told: dict[str, Any]) -> None:
        what = str(told.get("what"))
        if what not in offers:
            raise DeclinedError(f"{what!r} is nothing that is done here")
        try:
            HELP[what].work(host, source, target, told, run)
        except StopRequested as error:
            raise DeclinedError("the run was asked to stop") from error  # which the engine sees by itself

    with offering(run, offers, work) as serve:
        yield serve
