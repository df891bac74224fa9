"""What may be wrong with a caption: sentences for whoever chooses the pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lib_trainer.images.captions import NO_CAPTION
from lib_trainer.images.wording.clip_pieces import MOST_TOKENS

# Each is at least one token: a word, a digit, or signs in a row.
TOKENS = re.compile(r"[^\W\d_]+|\d|[^\w\s]+|_+")
MISSING = "no caption"
TOO_LONG = "long caption, the model reads only its beginning"


def caption_concerns(text: str, source: str) -> list[str]:
    """What is to be said about the caption of one picture."""
    said = [MISSING] if source == NO_CAPTION else []
    return [*said, TOO_LONG] if len(TOKENS.findall(text)) > MOST_TOKENS else said


def with_caption_concerns(said: Sequence[str], text: str, source: str) -> list[str]:
    """What was said about a picture, after its caption has become another."""
    others = [each for each in said if each not in (MISSING, TOO_LONG)]
    return [*others, *caption_concerns(text, source)]
