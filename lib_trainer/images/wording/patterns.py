"""Regular expressions over many texts, in a process of their own with a limit on its time."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ConfigError

PROCESS = Path(__file__).with_name("pattern_process.py")
MOST_SECONDS = 10.0  # of the clock: on a busy computer a harmless one takes seconds too
LONGEST_PATTERN = 1_000


def replaced(pattern: str, into: str, texts: Sequence[str], match_case: bool) -> list[str]:
    """The texts with `into` for what the expression finds.

    Raises:
        ConfigError: the expression or what comes in its place can't be read, or it takes too long.
    """
    distinct = list(dict.fromkeys(texts))
    found: list[str] = _asked(pattern, into, distinct, match_case)["texts"]
    known = dict(zip(distinct, found, strict=True))
    return [known[text] for text in texts]


def matching(pattern: str, texts: Sequence[str], match_case: bool) -> list[bool]:
    """In which texts the expression finds something.

    Raises:
        ConfigError: it can't be read, or takes too long.
    """
    found: list[bool] = _asked(pattern, None, list(texts), match_case)["found"]
    return found


def _asked(pattern: str, into: str | None, texts: list[str], match_case: bool) -> dict[str, Any]:
    if len(pattern) > LONGEST_PATTERN:
        raise ConfigError(f"The pattern has {len(pattern)} letters; at most {LONGEST_PATTERN} are possible.")
    told = json.dumps({"pattern": pattern, "into": into, "texts": texts, "match_case": match_case})
    # Python's own expressions hold the interpreter while they search: neither a thread nor a signal ends them.
    no_window = int(getattr(subprocess, "CREATE_NO_WINDOW", 0))  # Windows alone has it
    command = [sys.executable, "-I", "-S", "-X", "utf8", str(PROCESS)]
    try:
        done = subprocess.run(
            command, input=told.encode("ascii"), capture_output=True, timeout=MOST_SECONDS, check=False,
            creationflags=no_window,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        said = f"The pattern {pattern!r} was stopped after {MOST_SECONDS:g} seconds"
        raise ConfigError(f"{said}; write it without repeats inside repeats, or take fewer pictures.") from error
    except OSError as error:
        raise ConfigError(f"The pattern {pattern!r} could not be tried ({error}); check Python's rights.") from error
    if done.returncode:
        raise ConfigError(f"The pattern {pattern!r} was too much for Python; write it more simply.")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "wrong" in answer:
        raise ConfigError(f"The pattern {pattern!r} can't be used: {answer['wrong']}. Mend it, or search for text.")
    return answer
