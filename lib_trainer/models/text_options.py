"""How captions are read: the options, which need no more than Python."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option

WINDOW = 75  # tokens that the text encoders see at once, besides a begin and an end


@dataclass(frozen=True)
class TextOptions:
    """How captions are read: what becomes of long ones, and of brackets."""

    reading: Literal["plain", "webui", "kohya"] = option(
        "plain",
        "'plain' reads 75 tokens and brackets as they stand; 'webui' reads it all, as the WebUI reads a prompt, "
        "with (emphasis:1.2), [less] and BREAK; 'kohya' cuts a long caption every 75 tokens, as kohya's scripts do.",
    )
    emphasis: Literal["Original", "No norm", "Ignore", "None"] = option(
        "Original", "With 'webui': what brackets do, as in the WebUI's setting 'Emphasis mode'."
    )
    comma_backtrack: int = option(
        20,
        "With 'webui': words behind a comma this near the end of a window of 75 tokens go to the next one together.",
        ge=0,
        le=74,
        unit="tokens",
    )
    kohya_length: int = option(
        225, "With 'kohya': how much of a caption is read: 75, 150 or 225.", ge=WINDOW, le=3 * WINDOW, unit="tokens"
    )

    def __post_init__(self) -> None:
        if self.kohya_length % WINDOW:
            raise ConfigError(f"'text.kohya_length' is {self.kohya_length}; it must be 75, 150 or 225.")


PLAIN = TextOptions()
WEBUI = TextOptions(reading="webui")
