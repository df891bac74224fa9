"""Requests and replies apart from any web framework, so that three hosts and the tests share the same handlers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import TrainerError


class Refused(TrainerError):  # noqa: N818
    """A request that is answered with a sentence instead of what it asked for; `status` is HTTP's."""

    def __init__(self, message: str, status: int = 400, complaints: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.complaints = complaints or []


@dataclass(frozen=True)
class Request:
    """One request: `path` is decoded and begins with /trainer; `parts` are what the pattern's {names} matched.

    `body` is what was sent as JSON, `upload` where the bytes of an upload lie meanwhile, `user` who has logged in.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    upload: Path | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    user: str = ""

    def told(self, name: str, kind: type, default: Any = ...) -> Any:
        """A value of the JSON body.

        Raises:
            Refused: it is missing or of another type.
        """
        body = self.body if isinstance(self.body, dict) else {}
        value = body.get(name, default)
        if value is ... or (value is not default and not isinstance(value, kind)):
            raise Refused(f"'{name}' is {body.get(name)!r} in the request; it must be of the type {kind.__name__}.")
        return value

    def number(self, name: str, default: int) -> int:
        """A whole number of the query, at least 0.

        Raises:
            Refused: it is something else.
        """
        text = self.query.get(name, str(default))
        if not (text.isascii() and text.isdecimal()):
            raise Refused(f"'{name}' is {text!r} in the address; it must be a whole number from 0 on.")
        return int(text)


@dataclass(frozen=True)
class Reply:
    """What goes back: bytes of a media type, or a file."""

    content: bytes = b""
    media_type: str = "application/json"
    status: int = 200
    file: Path | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(data: Any, status: int = 200) -> Reply:
    """A reply of plain data."""
    headers = {"Cache-Control": "no-store"}
    return Reply(json.dumps(data).encode("ascii"), status=status, headers=headers)


def refusal(error: TrainerError) -> Reply:
    """The reply that says why not."""
    status = error.status if isinstance(error, Refused) else 400
    data: dict[str, Any] = {"error": str(error)}
    if isinstance(error, Refused) and error.complaints:
        data["complaints"] = error.complaints
    return as_json(data, status)
