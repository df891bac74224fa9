"""How the attempt to take one picture ends, if it does not end well."""

from __future__ import annotations


class NotTaken(Exception):  # noqa: N818 - one picture of many: nothing went wrong
    """The picture is left out for good; the text says why, without the link."""


class TryLater(Exception):  # noqa: N818
    """Another attempt may do, `wait` seconds from now at the earliest; `is_unreachable`: its server was not there."""

    def __init__(self, reason: str, wait: float = 0.0, is_unreachable: bool = False) -> None:
        super().__init__(reason)
        self.wait, self.is_unreachable = wait, is_unreachable
