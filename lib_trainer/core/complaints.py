"""Every complaint about a configuration at once, each with its option's path; `configs.load` stops at the first."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from lib_trainer.core.configs import _chosen, _load_value, _missing, _no_table, _unknown, _with_sections, tables
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import OptionInfo, describe

UNREADABLE = object()
NUMBERED = re.compile(r"\.\d+(?=\.|$)")  # which of the tables of a list a path goes through


@dataclass(frozen=True)
class Complaint:
    """What is wrong with one option; `path` is empty where it concerns none in particular."""

    path: str
    message: str
    is_missing: bool = False  # the option must be given and is not


@dataclass(frozen=True)
class Leaf:
    """One option that was given and could be read."""

    path: str
    info: OptionInfo
    value: Any


@dataclass
class Reading:
    """All that came of reading plain data; `config` is None where there are complaints."""

    config: Any = None
    complaints: list[Complaint] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)


def complaints(cls: type, data: Any) -> list[Complaint]:
    """All that `configs.load` would find wrong with plain data, in the order of the options."""
    return read_all(cls, data).complaints


def read_all(cls: type, data: Any) -> Reading:
    """Read plain data as far as it can be read."""
    reading = Reading()
    config = _Reader(reading, option_paths(cls)).table(cls, data, "")
    reading.config = None if reading.complaints else config
    return reading


def option_paths(cls: type, path: str = "") -> set[str]:
    """The dotted paths of all options of a class, those of every entry of a table included."""
    paths = set()
    for info in describe(cls):
        here = f"{path}{info.name}"
        paths.add(here)
        below = [info.type] if info.section else [entry for _, entry in info.registry or ()]
        paths.update(*(option_paths(entry, f"{here}.") for entry in below))
    return paths


@dataclass(frozen=True)
class _Reader:
    """Reads tables one below the other and notes what it finds in a `Reading`."""

    reading: Reading
    known: set[str]

    def table(self, cls: type, data: Any, path: str) -> Any:
        """The options of `cls` that the data gives, or UNREADABLE."""
        infos = {info.name: info for info in describe(cls)}
        if not isinstance(data, dict):
            return self._complain(path.rstrip("."), _no_table(data, path, infos))
        values = {name: UNREADABLE for name in data if name not in infos}
        for name in values:
            self._complain(f"{path}{name}", _unknown(str(name), data[name], path, infos))
        data = _with_sections(data, infos)
        for name, info in infos.items():
            if name in data:
                values[name] = self._value(info, data[name], f"{path}{name}")
            elif info.required:
                values[name] = self._complain(f"{path}{name}", _missing(info, path), is_missing=True)
        if any(value is UNREADABLE for value in values.values()):
            return UNREADABLE
        try:
            return cls(**values)
        except ConfigError as error:
            return self._complain(self._place(str(error), path), str(error))

    def _value(self, info: OptionInfo, value: Any, here: str) -> Any:
        try:
            if info.registry is not None:
                default = info.registry.name_of(type(info.default))
                return self.table(*_chosen(info.registry, default, value, here), f"{here}.")
            if info.section and info.many:
                each = [self.table(info.type, item, place) for place, item in tables(info, value, here)]
                return UNREADABLE if UNREADABLE in each else tuple(each)
            if info.section:
                return self.table(info.type, value, f"{here}.")
            read = _load_value(info, value, here)
        except ConfigError as error:
            return self._complain(here, str(error))
        self.reading.leaves.append(Leaf(here, info, read))
        return read

    def _complain(self, path: str, message: str, is_missing: bool = False) -> object:
        self.reading.complaints.append(Complaint(path, message, is_missing))
        return UNREADABLE

    def _place(self, message: str, path: str) -> str:
        """The option that a sentence about several options names first."""
        for quoted in re.findall(r"'([^' ]+)'", message):
            for place in (quoted, f"{path}{quoted}"):
                if NUMBERED.sub("", place) in self.known:
                    return place
        return path.rstrip(".")
