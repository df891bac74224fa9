"""Command-line flags drawn from options classes: `--dataset.buckets.resolution 512`, help and bounds included."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from lib_trainer.core.configs import Text
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import OptionInfo, describe, first_line
from lib_trainer.core.registry import did_you_mean

UNSET = object()


class CommandParser(argparse.ArgumentParser):
    """A parser that complains with sentences, as all else does, instead of listing its flags."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message[:1].upper()}{message[1:]}; `{self.prog} --help` lists what there is.")

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As its parent, but nothing unknown is left over.

        Raises:
            ConfigError: a flag is unknown, or a value belongs to none.
        """
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            flag, _, value = unknown[0].partition("=")
            value = value or next((word for word in unknown[1:2] if not word.startswith("-")), "")
            hint = did_you_mean(flag, list(self._option_string_actions))
            said = f"'{flag}'" + (f" ({value!r})" if value else "")
            raise ConfigError(f"Unknown option {said}.{hint} `{self.prog} --help` lists what there is.")
        return parsed, unknown


def add_flags(parser: argparse.ArgumentParser, cls: type, prefix: str = "") -> None:
    """Add one flag for each option of `cls`, grouped by section; `prefix` comes before every name."""
    group = parser.add_argument_group(prefix.rstrip("."), first_line(cls)) if prefix else parser
    _add(parser, group, cls, prefix)


def _add(parser: argparse.ArgumentParser, group: Any, cls: type, prefix: str) -> None:
    for info in describe(cls):
        flag = f"--{prefix}{info.name}".replace("_", "-")
        if info.section and info.many:
            _add_tables(group, flag, f"{prefix}{info.name}", info)
        elif info.section:
            inner = parser.add_argument_group(flag.removeprefix("--"), first_line(info.type))
            _add(parser, inner, info.type, f"{prefix}{info.name}.")
        elif info.registry is not None:
            chosen = info.registry.name_of(type(info.default))
            group.add_argument(flag, default=UNSET, metavar="NAME", dest=f"{prefix}{info.name}.type",
                               help=_escaped(f"{info.help} One of {', '.join(info.registry.names)}; default {chosen}."))
            for name, entry in info.registry:
                inner = parser.add_argument_group(f"{flag.removeprefix('--')} {name}", first_line(entry))
                _add_entry(inner, entry, f"{prefix}{info.name}.")
        else:
            _add_flag(group, flag, f"{prefix}{info.name}", info)


def _add_entry(group: Any, entry: type, prefix: str) -> None:
    """The options of one implementation; a name that another implementation has too shares its flag."""
    known = group._option_string_actions
    for info in describe(entry):
        flag = f"--{prefix}{info.name}".replace("_", "-")
        if flag not in known:
            _add_flag(group, flag, f"{prefix}{info.name}", info)


def _add_flag(group: Any, flag: str, path: str, info: OptionInfo) -> None:
    kwargs: dict[str, Any] = {"metavar": info.unit.upper() or info.kind.split()[-1].upper()}
    if info.choices:
        kwargs["metavar"] = "NAME"
    if info.type is bool:
        kwargs.update(metavar="TRUE|FALSE", nargs="?", const="true")
    if info.many:
        kwargs["nargs"] = "+"
    group.add_argument(flag, dest=path, default=UNSET, help=_escaped(_help(info)), **kwargs)


def _add_tables(group: Any, flag: str, path: str, info: OptionInfo) -> None:
    """A flag that is given once for each table of a list, with its options as NAME=VALUE."""
    options = "; ".join(f"{each.name}: {_help(each)}" for each in describe(info.type))
    told = f"{info.help} Once for each, with NAME=VALUE for its options, default none. {options}"
    group.add_argument(
        flag, dest=path, default=UNSET, help=_escaped(told), nargs="+", metavar="NAME=VALUE", action=_Append
    )


class _Append(argparse.Action):
    """Collects one table of `Text` each time its flag is given."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option_string: Any = None
    ) -> None:
        """As argparse wants it.

        Raises:
            ConfigError: a value has no name before it.
        """
        for value in values:
            if "=" not in value:
                said = f"'{option_string}' is given {value!r}"
                raise ConfigError(f"{said}; write NAME=VALUE, in quotation marks where there are spaces.")
        table = {name.replace("-", "_"): Text(text) for name, _, text in (value.partition("=") for value in values)}
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, [*([] if before is UNSET else before), table])


def _help(info: OptionInfo) -> str:
    """The sentence of help, then choices, bounds with their unit, and the default."""
    facts = []
    if info.choices:
        facts.append(info.kind)
    if info.bounds:
        facts.append(f"{info.bounds} {info.unit}".strip())
    elif info.unit:
        facts.append(f"in {info.unit}")
    if info.required:
        facts.append("must be given")
    else:
        facts.append(f"default {_shown(info.default)}")
    return f"{info.help} [{'; '.join(facts)}]"


def _shown(value: Any) -> str:
    if value is None or value in ("", ()):
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _escaped(text: str) -> str:
    return text.replace("%", "%%")


def given(arguments: argparse.Namespace, cls: type, prefix: str = "") -> dict[str, Any]:
    """The options that were given as flags, as nested plain data of `Text`."""
    data: dict[str, Any] = {}
    for path, value in vars(arguments).items():
        if value is UNSET or not path.startswith(prefix) or not _belongs(path.removeprefix(prefix), cls):
            continue
        *parents, name = path.removeprefix(prefix).split(".")
        node = data
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = [_plain(item) for item in value] if isinstance(value, list) else Text(value)
    return data


def _plain(item: Any) -> Any:
    return item if isinstance(item, dict) else Text(item)


def _belongs(path: str, cls: type) -> bool:
    return path.split(".", maxsplit=1)[0] in {info.name for info in describe(cls)}
