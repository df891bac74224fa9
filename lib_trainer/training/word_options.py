"""The options of a word that is learned beside a network and kept in its file."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import option
from lib_trainer.core.outputs import OUTPUTS
from lib_trainer.trainables.base import TrainableOptions
from lib_trainer.trainables.new_word import NewWord
from lib_trainer.trainables.textual_inversion import TextualInversion

WORD_PART = "word"  # what the word's learning rate goes by


@dataclass(frozen=True)
class WordOptions(NewWord):
    """A word of its own that is learned together with a LoRA; the WebUI finds it in the LoRA's file."""

    learning_rate: float = option(5e-3, "Step size of the word's vectors.", ge=0.0000001, le=10)

    def check_with(self, trainable: TrainableOptions) -> None:
        """Check the word that the trainable learns, if it does, and that this one can be learned beside it.

        Raises:
            ConfigError: a word is missing or can't be one, or both were to be learned.
        """
        if isinstance(trainable, NewWord):
            trainable.check("trainable")
        if not self.token:
            return
        self.check("word")
        if isinstance(trainable, TextualInversion):
            raise ConfigError(
                f"'word.token' is {self.token!r}, but 'trainable' textual_inversion learns {trainable.token!r} "
                "already; empty 'word.token', or choose a LoRA as 'trainable'."
            )
        if trainable.output != "lora":
            raise ConfigError(
                f"'word.token' is {self.token!r}, but only a LoRA's file has room for a word, and 'trainable' is saved "
                f"as a {OUTPUTS[trainable.output].word}; empty 'word.token', or choose a LoRA as 'trainable'."
            )
