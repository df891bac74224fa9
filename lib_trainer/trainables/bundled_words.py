"""A network and words in one file, as A1111 reads them: `bundle_emb.WORD.string_to_param.*`, of SDXL `...clip_l`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lib_trainer.models.extra_words import ALONE
from lib_trainer.trainables.word_vectors import BUNDLE, WEBUI_TENSOR, WordVectors, fitting

if TYPE_CHECKING:
    from torch import Tensor, nn

    from lib_trainer.models.model import Model
    from lib_trainer.trainables.base import Network


class NetworkWithWords:
    """A network, and words that are trained and saved with it."""

    def __init__(self, network: Network, words: Sequence[WordVectors]) -> None:
        self._network, self._words = network, words
        self.matched = network.matched

    def parameters(self, part: str) -> list[nn.Parameter]:
        return [tensor for each in self._all for tensor in each.parameters(part)]

    def groups(self, part: str) -> list[tuple[float, list[nn.Parameter]]]:
        return [group for each in self._all for group in each.groups(part)]

    def tensors(self) -> dict[str, Tensor]:
        tensors = self._network.tensors()
        for word in self._words:
            tensors |= {bundled(word.text, name): tensor for name, tensor in word.tensors().items()}
        return tensors

    def metadata(self) -> dict[str, str]:
        return self._network.metadata()

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        self._network.load_tensors(tensors)
        for word in self._words:
            word.load_tensors({name: tensors[bundled(word.text, name)] for name in word.tensors()})

    def set_strength(self, strength: float) -> None:
        for each in self._all:
            each.set_strength(strength)

    def train(self, training: bool) -> None:
        for each in self._all:
            each.train(training)

    def settle(self) -> None:
        for each in self._all:
            each.settle()

    def detach(self) -> None:
        for each in self._all:
            each.detach()

    @property
    def _all(self) -> list[Network]:
        return [self._network, *self._words]


def bundled(word: str, name: str) -> str:
    """The name in a network file of a word's tensor that an embedding file calls `name`."""
    return f"{BUNDLE}{word}.{WEBUI_TENSOR if name == ALONE[0] else name}"


def without_words(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a network file without those of words."""
    return {name: tensor for name, tensor in tensors.items() if not name.startswith(BUNDLE)}


def open_words(model: Model, tensors: Mapping[str, Tensor]) -> list[WordVectors]:
    """The words of a network file, taught to the model.

    Raises:
        ModelError: a word's vectors don't fit the model.
    """
    found: dict[str, dict[str, Tensor]] = {}
    for name in tensors.keys() - without_words(tensors).keys():
        word, _, rest = name.removeprefix(BUNDLE).partition(".")
        found.setdefault(word, {})[rest] = tensors[name]
    return [WordVectors(model, [word], fitting(model, found[word])) for word in sorted(found)]
