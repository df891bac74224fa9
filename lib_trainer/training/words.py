"""Words that a training teaches the model: started with what else is trained, and checked against the captions."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.events import Notice
from lib_trainer.models.model import Model
from lib_trainer.models.outline import Outline
from lib_trainer.trainables.base import Network, NetworkOutline
from lib_trainer.trainables.new_word import NewWord
from lib_trainer.training.options import TrainingOptions
from lib_trainer.training.word_options import WORD_PART

if TYPE_CHECKING:
    from lib_trainer.dataset.dataset import Dataset

SLOW_RATE = 1e-3  # A1111's own training of embeddings starts from 5e-3


def attach_network(options: TrainingOptions, model: Model, dataset: Dataset) -> Network:
    """What is trained, attached to the model; with its word, if it has one. Remarks on words go to the run.

    Raises:
        ConfigError: the options can't work on this model, or no caption has the word.
        ModelError: a file that it starts from can't be read.
    """
    for remark in check_words(options, [entry.caption for entry in dataset.entries]):
        dataset.context.emit(Notice(remark))
    network = options.trainable.attach(model, _parts(options), options.seed)
    if not options.word.token:
        return network
    parts = dict.fromkeys(model.extra_words.tables, WORD_PART)
    from lib_trainer.trainables.bundled_words import NetworkWithWords

    return NetworkWithWords(network, [options.word.start(model, options.seed, parts)])


def network_outline(options: TrainingOptions, model: Outline) -> NetworkOutline:
    """What `attach_network` is going to attach.

    Raises:
        ConfigError: the options can't work on this model.
    """
    original_names = options.saving.layer_names == "original"
    outline = options.trainable.outline(model, _parts(options), original_names)
    if not options.word.token:
        return outline
    shapes = options.word.shapes(model)
    from lib_trainer.trainables.bundled_words import bundled  # not before there is a word: it needs torch

    named = {bundled(options.word.token, name): shape for name, shape in shapes.items()}
    return replace(outline, trained=[*outline.trained, *shapes.values()], file={**outline.file, **named})


def _parts(options: TrainingOptions) -> list[str]:
    """The parts of the model that are trained; a word has a rate of its own, and is none of them."""
    return [part for part in options.learning_rates if part != WORD_PART]


def check_words(options: TrainingOptions, captions: Collection[str]) -> list[str]:
    """Check that pictures say the word that is learned; returns what the user should know of it, as sentences.

    Raises:
        ConfigError: no caption has the word.
    """
    remarks: list[str] = []
    for word in _words(options):
        without = sum(word.token.lower() not in f"{options.dataset.trigger} {text}".lower() for text in captions)
        if captions and without == len(captions):
            raise ConfigError(
                f"No caption has the word {word.token!r} that is to be learned; set 'dataset.trigger' to it, or write "
                "it into the captions."
            )
        if without:
            remarks.append(f"{without} of {len(captions)} captions don't have the word {word.token!r}.")
        remarks += _meaning(word.token)
    rates = [rate for part, rate in options.learning_rates.items() if part.endswith("text_encoder")]
    if isinstance(options.trainable, NewWord) and rates and max(rates) < SLOW_RATE:
        remarks.append("A word learns slowly at this 'learning_rate'; 5e-3 is usual.")
    return remarks


def _words(options: TrainingOptions) -> Iterator[NewWord]:
    if isinstance(options.trainable, NewWord):
        yield options.trainable
    if options.word.token:
        yield options.word


def _meaning(token: str) -> list[str]:
    """A sentence on a word that means something already: the vocabulary has all its pieces as whole words."""
    from lib_trainer.models.clip_tokens import WORD_END, ClipTokens  # not before there is a word: it needs torch

    pieces = ClipTokens().pieces(token)
    if not all(piece.endswith(WORD_END) for piece in pieces):
        return []
    known = ", ".join(repr(piece.removesuffix(WORD_END)) for piece in pieces)
    many = "a word" if len(pieces) == 1 else "words"
    return [
        f"{token!r} already means something: the model knows it as {many} ({known}), which prompts with the embedding "
        "can't say any more. A made-up word leaves all others alone."
    ]
