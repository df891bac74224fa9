"""Names in the order that people expect: 2 before 10, whatever the letters' case."""

from __future__ import annotations

import re


def natural_key(text: str) -> list[tuple[int, str]]:
    """What to sort names by; a number comes after any letters in the same place."""
    return [(int(part), "") if part.isdecimal() else (-1, part.lower()) for part in re.split(r"(\d+)", text) if part]
