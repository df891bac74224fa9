"""The process that works with a regular expression, so that one that never ends can be ended; it imports nothing."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

LONGEST = 20_000


def answer(asked: dict[str, Any]) -> dict[str, Any]:
    """What the expression makes of each text, or whether it finds something in it, or what is wrong."""
    try:
        pattern = re.compile(asked["pattern"], 0 if asked["match_case"] else re.IGNORECASE)
        if asked["into"] is None:
            return {"found": [pattern.search(text) is not None for text in asked["texts"]]}
        texts = [pattern.sub(asked["into"], text) for text in asked["texts"]]
    except (re.error, IndexError, OverflowError, RecursionError, MemoryError) as error:
        return {"wrong": str(error) or type(error).__name__}
    longest = max((len(text) for text in texts), default=0)
    return {"wrong": f"it makes a text of {longest} letters"} if longest > LONGEST else {"texts": texts}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(json.loads(sys.stdin.read()))))
