"""Which folders and files the people behind the page may choose, where the host sets bounds to that."""

from __future__ import annotations

from pathlib import Path

from lib_trainer.core.places import EXTENSION_ROOT
from lib_trainer.ui.access import can_be_stored, full_path, is_inside, led_to
from lib_trainer.ui.host import Host
from lib_trainer.ui.web import Refused

DEMO = EXTENSION_ROOT / "lib_trainer" / "demo"


class Boundaries:
    """The host's bounds; what counts is where a path leads, as the engine will follow it."""

    def __init__(self, host: Host, home: Path) -> None:
        self._host, self._home = host, home

    @property
    def are_open(self) -> bool:
        """Whether everything may be chosen."""
        return self._host.any_folder

    def roots(self) -> list[Path]:
        """The folders within which everything may be chosen: the host's, the trainer's data, the demo."""
        return list(dict.fromkeys([*self._host.roots(), *self._host.folders().values(), self._home, DEMO]))

    def allows(self, path: Path) -> bool:
        """Whether a file or folder may be chosen; a model that the host lists may, wherever it lies."""
        if self.are_open or is_inside(path, self.roots()):
            return True
        end = led_to(path)
        return end is not None and any(end == led_to(known.path) for known in self._host.checkpoints())

    def objection(self, path: Path) -> str:
        """Why a path may not be chosen, or an empty text."""
        try:
            if not can_be_stored(str(path)):
                return f"{str(path)!r} can't be a path; give one as your file manager shows it."
            if not self.are_open:
                full_path(str(path))  # only to look at another computer's share may give it the user's login
        except Refused as error:
            return str(error)
        return "" if self.allows(path) else self._outside(path)

    def chosen(self, text: str) -> Path:
        """The path that the page chose.

        Raises:
            Refused: it can't be a path (400), or it lies outside the bounds (403).
        """
        path = full_path(text)
        self.check(path)
        return path

    def check(self, path: Path) -> None:
        """See that a path may be chosen.

        Raises:
            Refused: it lies outside the bounds (403).
        """
        if objection := self.objection(path):
            raise Refused(objection, 403)

    def _outside(self, path: Path) -> str:
        roots = ", ".join(str(root) for root in self._host.roots())
        return (
            f"{path} lies outside the folders that may be chosen here ({roots}), because others can reach this page. "
            "Move it there, or choose another."
        )
