"""Options are fields of frozen dataclasses; this module declares and describes them, `configs.py` loads and dumps."""

from __future__ import annotations

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any, Protocol

from lib_trainer.core.registry import Registry


class TextType(Protocol):
    """A type of our own that an option may have: read from text, written by `str`."""

    @classmethod
    def parse(cls, text: str) -> TextType: ...


def option(
    default: Any,
    help: str,
    *,
    ge: float | None = None,
    le: float | None = None,
    unit: str = "",
    group: str = "",
) -> Any:
    """One option: its default (`...` if the user must give it), bounds, unit, and a sentence of help for users.

    `group` "first" is what a form shows before all else.
    """
    return _field(default, {"help": help, "ge": ge, "le": le, "unit": unit, "group": group})


def existing(default: Any, help: str, *, group: str = "") -> Any:
    """An option that names a file or folder, or several, where something must lie already; else as `option`."""
    return _field(default, {"help": help, "group": group, "must_exist": True})


def labelled(label: str, field: Any) -> Any:
    """The same option with words of its own on a form, where its name would not be understood."""
    field.metadata = types.MappingProxyType({**field.metadata, "label": label})
    return field


def _field(default: Any, metadata: dict[str, Any]) -> Any:
    if default is ...:
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def section(cls: type) -> Any:
    """A nested group of options; it has no default of its own where one of its options must be given."""
    metadata = {"section": True, "help": first_line(cls)}
    if any(info.required for info in describe(cls)):
        return dataclasses.field(metadata=metadata)
    return dataclasses.field(default_factory=cls, metadata=metadata)


def sections(cls: type, help: str) -> Any:
    """A list of nested groups of options, at first empty; `help` says what each stands for, and how many are wanted."""
    if any(info.section or info.registry is not None for info in describe(cls)):
        raise TypeError(f"{cls.__name__} has groups of its own; the tables of a list are flat.")
    return dataclasses.field(default=(), metadata={"section": True, "help": help})


def choice(registry: Registry[Any], default: str, help: str, *, group: str = "") -> Any:
    """One implementation out of a registry, with that implementation's own options."""
    metadata = {"registry": registry, "help": help, "group": group}
    return dataclasses.field(default_factory=registry[default], metadata=metadata)


def first_line(cls: type) -> str:
    """The opening sentence of a class's docstring: what the form and the command line say about it."""
    return (cls.__doc__ or "").strip().splitlines()[0] if cls.__doc__ else ""


@dataclasses.dataclass(frozen=True)
class OptionInfo:
    """All that a form, a command line or a check needs to know about one option."""

    name: str
    type: type
    optional: bool
    many: bool
    choices: tuple[str, ...]
    required: bool
    default: Any
    help: str
    unit: str
    group: str
    ge: float | None
    le: float | None
    registry: Registry[Any] | None
    section: bool
    must_exist: bool = False
    own_label: str = ""

    @property
    def label(self) -> str:
        """What a form calls it."""
        return self.own_label or self.name.replace("_", " ").capitalize()

    @property
    def kind(self) -> str:
        """What a value must be, in words."""
        if self.section and self.many:
            return f"a list of tables, each of options: {', '.join(info.name for info in describe(self.type))}"
        if self.choices:
            one = "one of " + ", ".join(self.choices)
        elif self.type is int:
            one = "a whole number"
        else:
            one = {float: "a number", bool: "true or false", str: "text", Path: "a path"}.get(self.type, "text")
        return f"a list, each {one}" if self.many else one

    @property
    def bounds(self) -> str:
        """`64 to 2048`, `at least 0`, or nothing."""
        if self.ge is not None and self.le is not None:
            return f"{self.ge:g} to {self.le:g}"
        if self.ge is not None:
            return f"at least {self.ge:g}"
        return f"at most {self.le:g}" if self.le is not None else ""


def describe(cls: type) -> list[OptionInfo]:
    """The options of a class in the order in which they were declared."""
    hints = typing.get_type_hints(cls)
    return [_describe_field(field, hints[field.name]) for field in dataclasses.fields(cls)]


def _describe_field(field: dataclasses.Field[Any], hint: Any) -> OptionInfo:
    hint, optional = _without_none(hint)
    many = typing.get_origin(hint) is tuple
    if many:
        hint = typing.get_args(hint)[0]
    choices = typing.get_args(hint) if typing.get_origin(hint) is typing.Literal else ()
    required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    default = None if required else field.default
    if field.default_factory is not dataclasses.MISSING:
        default = None if field.metadata.get("section") else field.default_factory()
    meta = field.metadata
    return OptionInfo(
        name=field.name,
        type=str if choices else hint,
        optional=optional,
        many=many,
        choices=choices,
        required=required,
        default=default,
        help=meta.get("help", ""),
        unit=meta.get("unit", ""),
        group=meta.get("group", ""),
        ge=meta.get("ge"),
        le=meta.get("le"),
        registry=meta.get("registry"),
        section=meta.get("section", False),
        must_exist=meta.get("must_exist", False),
        own_label=meta.get("label", ""),
    )


def _without_none(hint: Any) -> tuple[Any, bool]:
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        (hint,) = [arm for arm in typing.get_args(hint) if arm is not type(None)]
        return hint, True
    return hint, False
