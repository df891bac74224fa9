"""The table of all rules, and what applies a list of them to captions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib_trainer.core.configs import load
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.registry import did_you_mean
from lib_trainer.images.wording.adding import Add, Merge, Prefix, Suffix, Template, Trigger
from lib_trainer.images.wording.fitting import Fit
from lib_trainer.images.wording.number import Singular
from lib_trainer.images.wording.ordering import Order, Sort
from lib_trainer.images.wording.persons import Several
from lib_trainer.images.wording.removing import Dedupe, Generic, Keep, Limit, Ratings, Remove
from lib_trainer.images.wording.replacing import Pattern, Replace, Synonyms
from lib_trainer.images.wording.rule import About, Rule
from lib_trainer.images.wording.spelling_of_tags import Brackets, Case, Tidy, Underscores

# kind -> the rule's class; its fields are the other values of a rule's table.
RULES: dict[str, type[Rule]] = {
    "add": Add,
    "remove": Remove,
    "keep": Keep,
    "replace": Replace,
    "pattern": Pattern,
    "trigger": Trigger,
    "prefix": Prefix,
    "suffix": Suffix,
    "template": Template,
    "merge": Merge,
    "sort": Sort,
    "order": Order,
    "dedupe": Dedupe,
    "limit": Limit,
    "underscores": Underscores,
    "ratings": Ratings,
    "synonyms": Synonyms,
    "generic": Generic,
    "number": Singular,
    "several": Several,
    "fit": Fit,
    "case": Case,
    "brackets": Brackets,
    "tidy": Tidy,
}


def read_rules(tables: Any) -> list[Rule]:
    """The rules of a list of tables `{"kind": ..., ...}`.

    Raises:
        ConfigError: something is no rule; the message names its number, counted from 1.
    """
    if not isinstance(tables, (list, tuple)):
        raise ConfigError(f"'rules' is {tables!r}; it must be a list of tables, each with a 'kind'.")
    return [_read(table, number) for number, table in enumerate(tables, start=1)]


def _read(table: Any, number: int) -> Rule:
    kind = table.get("kind") if isinstance(table, dict) else None
    if not isinstance(kind, str) or kind not in RULES:
        hint = did_you_mean(kind, list(RULES)) if isinstance(kind, str) else ""
        said = f"Rule {number} is {table!r}"[:200]
        raise ConfigError(f"{said}; its 'kind' must be one of {', '.join(RULES)}.{hint}")
    values = {name: value for name, value in table.items() if name != "kind"}
    rule: Rule = load(RULES[kind], values, f"rules.{number}.")
    return rule


def apply(rules: Any, caption: str, about: About | None = None) -> str:
    """One caption after all the rules, given as a list of tables, in their order.

    Raises:
        ConfigError: something is no rule, or a rule can't be applied.
    """
    return apply_all(read_rules(rules), [caption], [about or About()])[0]


def apply_all(rules: Sequence[Rule], captions: Sequence[str], about: Sequence[About] = ()) -> list[str]:
    """Many captions after all the rules, in their order; quicker than one by one.

    Raises:
        ConfigError: a rule can't be applied.
    """
    told = about or [About()] * len(captions)
    reworded = list(captions)
    for rule in rules:
        reworded = rule.over(reworded, told)
    return reworded
