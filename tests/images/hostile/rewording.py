"""Hostile rules, for the step `reword`."""

from __future__ import annotations

import json

from tests.images.hostile.table import Attempt, fill, png


def captions(place):
    fill(place / "in", {"a.png": png(1), "a.txt": f"{'a' * 40} fox, cat", "b.png": png(2), "b.txt": b"nul\0, cat"})
    fill(place, {"rules.json": "{" * 1000})


def with_rule(**rule):
    return f"reword --folder PLACE/in --write --rules '{json.dumps(rule)}'"


ATTEMPTS = {
    "slow rule": Attempt(
        with_rule(kind="pattern", pattern="(a+)+$", into="x"), captions,
        {"a rule's pattern that takes for ever": ("The pattern '(a+)+$'", "repeats inside repeats")}, fails=True,
    ),
    "endless rule": Attempt(
        with_rule(kind="replace", pairs=["cat => cat cat"], within="text", until_stable=True), captions,
        {"a replacement that makes itself again": ("'pairs' never ends on", "goes round and round")}, fails=True,
    ),
    "half a pattern": Attempt(
        with_rule(kind="pattern", pattern="(", into=""), captions,
        {"half a pattern in a rule": ("The pattern '('", "can't be used")}, fails=True,
    ),
    "unknown rule": Attempt(
        with_rule(kind="__import__"), captions,
        {"a rule that there is none of": ("__import__", "'kind' must be one of")}, fails=True,
    ),
    "rules file": Attempt(
        "reword --folder PLACE/in --rules-file PLACE/rules.json", captions,
        {"a file of rules that is no JSON": ("'rules_file' is PLACE/rules.json", "can't be read")}, fails=True,
    ),
}  # fmt: skip
