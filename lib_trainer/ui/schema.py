"""Options as plain data, from which the page draws its forms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lib_trainer.core.options import OptionInfo, describe, first_line

KINDS = {int: "int", float: "float", bool: "bool", str: "text", Path: "path"}


def schema(cls: type, path: str = "") -> list[dict[str, Any]]:
    """The options of a class (OPTION), in the order in which they were declared."""
    return [_option(info, f"{path}{info.name}") for info in describe(cls)]


def _option(info: OptionInfo, path: str) -> dict[str, Any]:
    described: dict[str, Any] = {
        "path": path,
        "name": info.name,
        "label": info.label,
        "help": info.help,
        "kind": kind_of(info),
        "item": _item(info) if info.many and not info.section else None,
        "choices": list(info.choices),
        "default": _default(info),
        "required": info.required and not info.section,
        "optional": info.optional,
        "ge": info.ge,
        "le": info.le,
        "unit": info.unit,
        "group": info.group,
        "must_exist": info.must_exist,
    }
    if info.section:
        described["options"] = schema(info.type, f"{path}.")
    if info.registry is not None:
        described["entries"] = {
            name: {"help": first_line(entry), "options": schema(entry, f"{path}.")} for name, entry in info.registry
        }
    return described


def kind_of(info: OptionInfo) -> str:
    """Which control an option needs."""
    if info.registry is not None:
        return "registry"
    if info.section:
        return "sections" if info.many else "section"
    return "list" if info.many else _item(info)


def _item(info: OptionInfo) -> str:
    return "choice" if info.choices else KINDS.get(info.type, "text")


def _default(info: OptionInfo) -> Any:
    if info.registry is not None:
        return info.registry.name_of(type(info.default))
    if info.section:
        return [] if info.many else None
    if info.required:
        return None
    if info.many and info.default is not None:
        return [_plain(item) for item in info.default]
    return _plain(info.default)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
