"""The options of a word that a model is to be taught, and what they make of the model's tables of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import labelled, option
from lib_trainer.trainables.base import Shape

if TYPE_CHECKING:
    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline
    from lib_trainer.trainables.word_vectors import WordVectors

# What prompts and captions use for other things, and what can't be in the name of a file or of a tensor.
NOT_IN_TOKENS = '()[]{}<>:,|"\\/*?.'
TABLE = "embeddings.token_embedding"
TOKEN_HELP = "The word to learn: a made-up one, as it then stands in captions and prompts."
VECTORS_HELP = "How many tokens the word takes: more can learn more, and drown the rest of a prompt sooner."
MOST_VECTORS = 75  # what the WebUI reads at once
HEADER_NAME = "name"  # as A1111 calls it in its own embedding files


@dataclass(frozen=True)
class NewWord:
    """A word of one's own, as so many vectors that the text encoder reads in its place."""

    token: str = labelled("Word", option("", TOKEN_HELP))
    vectors: int = option(4, VECTORS_HELP, ge=1, le=MOST_VECTORS)
    initial_text: str = option("", "Words that it starts from, as 'flat drawing'; empty starts from chance.")
    keep_norm: bool = option(
        True, "Keeps the length that each vector starts with, so that the word does not outshout the rest of a prompt."
    )

    def check(self, path: str) -> None:
        """Check the word; `path` is that of these options.

        Raises:
            ConfigError: there is none, or it can't be written in prompts.
        """
        if not self.token.strip():
            raise ConfigError(f"'{path}.token' is empty; give the word that is to be learned, such as 'mystyle'.")
        odd = [sign for sign in self.token if sign in NOT_IN_TOKENS]
        if odd:
            raise ConfigError(f"'{path}.token' is {self.token!r}; {odd[0]!r} can't be in such a word, leave it out.")

    def shapes(self, model: Outline) -> dict[str, Shape]:
        """The word's tensors by their names in embedding files."""
        from lib_trainer.models.extra_words import name_tables

        modules = model.modules["text_encoder"]
        paths = [path for path in modules if path.endswith(TABLE)]
        return {name: (self.vectors, modules[path][1]) for name, path in name_tables(paths).items()}

    def start(self, model: Model, seed: int, parts: Mapping[str, str]) -> WordVectors:
        """Teach the model the word; `parts` tells of each of its tensors with which part it is trained, if at all.

        Raises:
            ConfigError: there are more tokens in `initial_text` than vectors.
        """
        from lib_trainer.trainables.word_vectors import start_word

        return start_word(self, model, seed, parts)

    @property
    def told(self) -> Mapping[str, str]:
        """What a file's header says of it."""
        return {HEADER_NAME: self.token}
