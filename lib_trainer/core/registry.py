"""A named table of interchangeable implementations."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

from lib_trainer.core.errors import ConfigError

T = TypeVar("T")


def did_you_mean(name: str, known: list[str]) -> str:
    """` Did you mean 'x'?` when a known name is near, else an empty string."""
    near = get_close_matches(name, known, n=1)
    return f" Did you mean '{near[0]}'?" if near else ""


class Registry(Generic[T]):
    """A read-only table from name to an options class that implements `T`, in the order the form shows it."""

    def __init__(self, kind: str, entries: dict[str, type[T]]) -> None:
        self.kind = kind
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> type[T]:
        """The entry of that name.

        Raises:
            ConfigError: no entry has this name; the message lists those that are there.
        """
        if name in self._entries:
            return self._entries[name]
        hint = did_you_mean(str(name), self.names)
        raise ConfigError(f"Unknown {self.kind} {name!r}.{hint} Available: {', '.join(self._entries)}.")

    def __iter__(self) -> Iterator[tuple[str, type[T]]]:
        return iter(self._entries.items())

    def name_of(self, entry: type[Any]) -> str:
        """The name under which a class stands in the table."""
        return next(name for name, known in self._entries.items() if known is entry)

    @property
    def names(self) -> list[str]:
        return list(self._entries)
