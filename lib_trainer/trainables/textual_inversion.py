"""Textual inversion (Gal et al., 2022): a word is learned, the model stays as it is; the file is an embedding."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import labelled, option
from lib_trainer.core.outputs import Output
from lib_trainer.trainables.base import Network, NetworkOutline
from lib_trainer.trainables.new_word import MOST_VECTORS, TOKEN_HELP, VECTORS_HELP, NewWord

if TYPE_CHECKING:
    from torch import Tensor

    from lib_trainer.models.model import Model
    from lib_trainer.models.outline import Outline

PART, PARTS_OF_TWO = "text_encoder", ("first_text_encoder", "second_text_encoder")
# A1111's own files, diffusers' and ours, SDXL's: https://github.com/AUTOMATIC1111/stable-diffusion-webui
LAYOUTS = ({"string_to_param.*"}, {"emb_params"}, {"clip_l", "clip_g"})


@dataclass(frozen=True)
class TextualInversion(NewWord):
    """A tiny file that teaches the model one new word; nothing else of it changes."""

    families: ClassVar[tuple[str, ...]] = ("sd1", "sd2", "sdxl")
    reaches_text_encoder: ClassVar[bool] = True
    output: ClassVar[Output] = "embedding"

    token: str = labelled("Word", option("", TOKEN_HELP, group="first"))
    vectors: int = option(4, VECTORS_HELP, ge=1, le=MOST_VECTORS, group="first")

    def attach(self, model: Model, parts: Collection[str], seed: int) -> Network:
        return self.start(model, seed, self._trained(model.extra_words.tables, parts))

    def outline(self, model: Outline, parts: Collection[str], original_names: bool) -> NetworkOutline:
        shapes = self.shapes(model)
        trained = self._trained(shapes, parts)
        return NetworkOutline([shapes[name] for name in trained], shapes, dict(self.told))

    def _trained(self, names: Iterable[str], parts: Collection[str]) -> dict[str, str]:
        """The part with which each of the word's tensors is trained; of SDXL each text encoder may have its own."""
        self.check("trainable")
        wanted = {name: PART if PART in parts else own for name, own in zip(names, PARTS_OF_TWO, strict=False)}
        trained = {name: part for name, part in wanted.items() if part in parts}
        if not trained:
            raise ConfigError(
                "'text_encoder_learning_rate' is 0, but the word is learned at that rate; raise it, or leave it empty "
                "to take 'learning_rate'."
            )
        return trained

    @staticmethod
    def recognises(names: Collection[str]) -> bool:
        return set(names) in LAYOUTS

    @staticmethod
    def open(model: Model, tensors: Mapping[str, Tensor], told: Mapping[str, str]) -> Network:
        from lib_trainer.trainables.word_vectors import open_word

        return open_word(model, tensors, told)
