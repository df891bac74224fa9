"""Configurations as plain data: loading with every complaint naming its option, dumping, merging, recipe files."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import OptionInfo, describe
from lib_trainer.core.registry import Registry, did_you_mean

TRUE, FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Text(str):
    """A value as a person typed it, still to be read as the option's type."""


def load(cls: type, data: dict[str, Any], path: str = "") -> Any:
    """Build `cls` from plain data; leaves may be `Text`.

    Raises:
        ConfigError: an option is unknown, missing, of the wrong type or out of bounds; the message has its full path.
    """
    infos = {info.name: info for info in describe(cls)}
    if not isinstance(data, dict):
        raise ConfigError(_no_table(data, path, infos))
    for name, value in data.items():
        if name not in infos:
            raise ConfigError(_unknown(name, value, path, infos))
    data = _with_sections(data, infos)
    missing = [info for info in infos.values() if info.required and info.name not in data]
    if missing:
        raise ConfigError(_missing(missing[0], path))
    return cls(**{name: _load_value(infos[name], value, f"{path}{name}") for name, value in data.items()})


def _no_table(data: Any, path: str, infos: dict[str, OptionInfo]) -> str:
    return f"'{path.rstrip('.')}' is {data!r}; it must be a table of options: {', '.join(infos)}."


def _unknown(name: str, value: Any, path: str, infos: dict[str, OptionInfo]) -> str:
    hint = did_you_mean(name, list(infos))
    return f"Unknown option '{path}{name}' ({value!r}).{hint} Known here: {', '.join(infos)}."


def _missing(info: OptionInfo, path: str) -> str:
    return f"'{path}{info.name}' is not given; it must be {info.kind}: {info.help}"


def _with_sections(data: dict[str, Any], infos: dict[str, OptionInfo]) -> dict[str, Any]:
    """The data with an empty table for each section that must be given and is not."""
    return {**{name: {} for name, info in infos.items() if info.section and info.required}, **data}


def _load_value(info: OptionInfo, value: Any, here: str) -> Any:
    if info.registry is not None:
        return _load_entry(info.registry, info.registry.name_of(type(info.default)), value, here)
    if info.section and info.many:
        return tuple(load(info.type, item, place) for place, item in tables(info, value, here))
    if info.section:
        return load(info.type, value, f"{here}.")
    if value is None or (isinstance(value, Text) and value.lower() in ("", "none") and info.optional):
        if info.optional:
            return None
        raise ConfigError(f"'{here}' is empty; it must be {info.kind}.")
    if info.many:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"'{here}' is {value!r}; it must be {info.kind}.")
        return tuple(_load_one(info, item, here) for item in value)
    return _load_one(info, value, here)


def tables(info: OptionInfo, value: Any, here: str) -> list[tuple[str, Any]]:
    """The tables of a list of them, each with the place before its options' names; the first is number 1.

    Raises:
        ConfigError: the value is no list.
    """
    if not isinstance(value, (list, tuple)):
        raise ConfigError(f"'{here}' is {value!r}; it must be {info.kind}.")
    return [(f"{here}.{number}.", item) for number, item in enumerate(value, start=1)]


def _load_entry(registry: Registry[Any], default: str, value: Any, here: str) -> Any:
    cls, chosen = _chosen(registry, default, value, here)
    return load(cls, chosen, f"{here}.")


def _chosen(registry: Registry[Any], default: str, value: Any, here: str) -> tuple[type, dict[str, Any]]:
    """The class that a value chooses, and the options that it gives it."""
    chosen = dict(value) if isinstance(value, dict) else {"type": value}
    name = chosen.pop("type", default)
    if not isinstance(name, str) or name not in registry.names:
        said = str(name) if isinstance(name, str) else name
        hint = did_you_mean(str(name), registry.names)
        raise ConfigError(f"'{here}' is {said!r}; it must be one of {', '.join(registry.names)}.{hint}")
    return registry[name], chosen


def _load_one(info: OptionInfo, value: Any, here: str) -> Any:
    said = str(value) if isinstance(value, Text) else value
    try:
        read = _read(info.type, value)
    except ConfigError as error:
        raise ConfigError(f"'{here}' is {said!r}; {error}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise ConfigError(f"'{here}' is {said!r}; it must be {info.kind}.") from error
    if info.choices and read not in info.choices:
        raise ConfigError(f"'{here}' is {said!r}; it must be {info.kind}.{did_you_mean(read, list(info.choices))}")
    low, high = info.ge, info.le
    if (low is not None and read < low) or (high is not None and read > high):
        raise ConfigError(f"'{here}' is {read}; it must be {info.bounds}{' ' * bool(info.unit)}{info.unit}.")
    return read


def _read(wanted: type, value: Any) -> Any:
    """`value` as the wanted type; text is parsed, anything else must already be right."""
    if wanted is bool and isinstance(value, Text) and value.lower() in TRUE + FALSE:
        return value.lower() in TRUE
    if wanted is int and isinstance(value, Text):
        return int(value)
    if wanted is float:
        return _read_number(value)
    if wanted is Path:
        return _read_path(value)
    if wanted is str and isinstance(value, str):
        return str(value)
    if hasattr(wanted, "parse") and isinstance(value, str):
        return wanted.parse(value)
    return _exactly(wanted, value)


def _read_number(value: Any) -> float:
    number = float(value) if isinstance(value, Text) or type(value) is int else _exactly(float, value)
    if not math.isfinite(number):
        raise ValueError
    return float(number)


def _read_path(value: Any) -> Path:
    """An absolute path: the engine may work in another folder than the host."""
    if not isinstance(value, (str, Path)) or not str(value).strip():
        raise ValueError
    try:
        return Path.cwd() / Path(value).expanduser()
    except RuntimeError as error:  # the home of somebody unknown
        raise ValueError from error


def _exactly(wanted: type, value: Any) -> Any:
    if type(value) is not wanted:
        raise TypeError
    return value


def dump(config: Any) -> dict[str, Any]:
    """The plain JSON data that `load` turns back into an equal config."""
    data: dict[str, Any] = {}
    for info in describe(type(config)):
        value = getattr(config, info.name)
        if info.registry is not None:
            data[info.name] = {"type": info.registry.name_of(type(value)), **dump(value)}
        elif info.section:
            data[info.name] = [dump(item) for item in value] if info.many else dump(value)
        else:
            data[info.name] = [_plain(item) for item in value] if info.many and value is not None else _plain(value)
    return data


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def merge(low: dict[str, Any], high: dict[str, Any]) -> dict[str, Any]:
    """`low` overlaid by `high`, table by table; choosing another `type` drops the options of the one it replaces."""
    merged = dict(low)
    for name, value in high.items():
        below, above = _tables(low.get(name), value)
        merged[name] = merge(below, above) if _fit(below, above) else above
    return merged


def _tables(below: Any, above: Any) -> tuple[Any, Any]:
    """Both values, a choice that is written as a word turned into the table it stands for."""
    if isinstance(below, str) and isinstance(above, dict):
        return {"type": below}, above
    if isinstance(above, str) and isinstance(below, dict) and "type" in below:
        return below, {"type": above}
    return below, above


def _fit(below: Any, above: Any) -> bool:
    """Whether both are tables, and of the same type where they have one."""
    if not isinstance(below, dict) or not isinstance(above, dict):
        return False
    return "type" not in above or below.get("type", above["type"]) == above["type"]


def read_recipe(path: Path) -> dict[str, Any]:
    """The plain data of a recipe file, JSON or TOML by its ending.

    Raises:
        ConfigError: the file is missing, not readable as its format, or TOML under Python 3.10, which can't read it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The recipe {path} can't be read ({error}); give a .json or .toml file.") from error
    try:
        data = _read_toml(text, path) if path.suffix.lower() == ".toml" else json.loads(text)
    except ValueError as error:
        kind = path.suffix.lstrip(".").upper() or "JSON"
        raise ConfigError(f"The recipe {path} is not valid {kind}: {error}. Mend that place and try again.") from error
    if not isinstance(data, dict):
        raise ConfigError(f"The recipe {path} holds a {type(data).__name__}; it must be a table of options.")
    return data


def _read_toml(text: str, path: Path) -> dict[str, Any]:
    if sys.version_info < (3, 11):
        cure = "save the recipe as JSON, or start with Python 3.11 or newer"
        raise ConfigError(f"{path} is TOML, which Python 3.10 can't read; {cure}.")
    import tomllib

    return tomllib.loads(text)
