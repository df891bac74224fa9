"""The options of the page on its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option


@dataclass(frozen=True)
class PageOptions:
    """Open the page in the browser: pictures, training, comparison and all runs, without a WebUI."""

    port: int = option(7870, "Port of the page; where it is in use, the next free one is taken.", ge=1, le=65535)
    listen: bool = option(False, "Let other computers reach the page; give auth too.")
    auth: tuple[str, ...] = option((), "Who may open the page, each user:password; empty lets in whoever reaches it.")
    open_browser: bool = option(True, "Open the page in the browser, where there is a screen.")
    any_folder: bool = option(
        False, "With listen: let whoever opens the page choose folders outside the trainer's data too."
    )
    engine_python: Path | None = option(
        None, "A Python that has the engine's packages already, used as it is instead of a set-up."
    )


def logins(options: PageOptions) -> list[tuple[str, str]]:
    """(user, password) of everybody who may open the page.

    Raises:
        ConfigError: one lacks its colon, its user or its password, or a user comes twice.
    """
    pairs: list[tuple[str, str]] = []
    for place, text in enumerate(options.auth, 1):
        user, _, password = text.partition(":")
        if not user or not password:  # the text may be a password: it is not shown
            raise ConfigError(f"Number {place} of 'auth' must be user:password, with something on both sides.")
        if user in dict(pairs):
            raise ConfigError(f"'auth' names the user {user!r} twice; give each a name of their own.")
        pairs.append((user, password))
    return pairs
