"""What a batch shows beside the pictures to learn, so that a concept's class stays as it is (Ruiz et al., 2022)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from random import Random
from typing import TYPE_CHECKING, Any, Protocol

import torch

from lib_trainer.dataset.class_sets import Group
from lib_trainer.dataset.order import Showing
from lib_trainer.dataset.overrides import most_times

if TYPE_CHECKING:
    from lib_trainer.dataset.dataset import Batch, Dataset

class Prior(Protocol):
    """Knows what belongs beside each batch."""

    def beside(self, plan: Sequence[Showing], own: Batch, epoch: int) -> Batch | None:
        """What is to be kept, of the size of the batch `own`; None if nothing is."""

    @property
    def captions(self) -> list[str]:
        """Every caption that can occur in it."""

    @property
    def facts(self) -> list[object]:
        """What must be the same for a state to be resumed."""


def with_prior(own: Batch, kept: Batch | None) -> Batch:
    """Both as one batch, what is to be learned first."""
    if kept is None:
        return own
    joined = {field.name: _joined(getattr(own, field.name), getattr(kept, field.name), own, kept)
              for field in fields(own) if field.name != "prior"}  # fmt: skip
    return replace(own, **joined, prior=len(kept.captions))


def _joined(one: Any, other: Any, own: Batch, kept: Batch) -> Any:
    """Lists or tensors one after the other; where one batch has none, all of it counts, which is 1."""
    if one is None and other is None:
        return None
    if isinstance(one, list):
        return [*one, *other]
    present = other if one is None else one
    one = torch.ones(len(own.captions), *present.shape[1:]) if one is None else one
    other = torch.ones(len(kept.captions), *present.shape[1:]) if other is None else other
    return torch.cat([one, other])


class ClassPictures:
    """Beside each picture of a concept one of its class, in the same size; all come equally often, in new pairs."""

    def __init__(self, pictures: Dataset, learnt: Dataset) -> None:
        """Entries of `pictures` stand beside those in `learnt` of the same concept and size."""
        self._pictures, self._groups, self._learnt = pictures, _groups(pictures), learnt
        self._counts: Counter[Group] = Counter()
        self._places: dict[int, int] = {}  # of an entry's first showing among those of its group
        for number, entry in enumerate(learnt.entries):
            group = (entry.concept, entry.bucket)
            self._places[number] = self._counts[group]
            self._counts[group] += most_times(entry)

    def beside(self, plan: Sequence[Showing], own: Batch, epoch: int) -> Batch | None:
        """As `Prior` has it."""
        partners = [self._partner(showing, epoch) for showing in plan]
        chosen = [Showing(partner, 0) for partner in partners if partner is not None]
        return self._pictures.load(chosen, epoch) if chosen else None

    def _partner(self, showing: Showing, epoch: int) -> int | None:
        """The entry beside this showing; the class pictures of a group are gone through in rounds, each shuffled."""
        entry = self._learnt.entries[showing.entry]
        group = (entry.concept, entry.bucket)
        ring = list(self._groups.get(group, ()))
        if not ring:
            return None
        whole = epoch * self._counts[group] + self._places[showing.entry] + showing.repeat
        turn, place = divmod(whole, len(ring))
        Random(f"{self._learnt.context.seed}/class/{group}/{turn}").shuffle(ring)
        return ring[place]

    @property
    def captions(self) -> list[str]:
        """As `Prior` has it."""
        return self._pictures.steady_captions or []

    @property
    def facts(self) -> list[object]:
        """As `Prior` has it."""
        return [(entry.view.digest, entry.caption, entry.bucket, entry.concept) for entry in self._pictures.entries]


def _groups(pictures: Dataset) -> dict[Group, list[int]]:
    """The numbers of entries by concept and size; one that is to come twice as often stands there twice."""
    groups: dict[Group, list[int]] = defaultdict(list)
    for number, entry in enumerate(pictures.entries):
        groups[entry.concept, entry.bucket] += [number] * entry.repeats
    return dict(groups)


class ClassCaptions:
    """Beside each picture of a concept the same one with the class prompt as its caption."""

    def __init__(self, learnt: Dataset, prompts: Sequence[str]) -> None:
        """`prompts` are those of the classes, concept by concept; an empty one keeps nothing."""
        self._learnt, self._prompts = learnt, list(prompts)

    def beside(self, plan: Sequence[Showing], own: Batch, epoch: int) -> Batch | None:
        """As `Prior` has it."""
        prompts = [self._prompt(showing) for showing in plan]
        rows = [row for row, prompt in enumerate(prompts) if prompt]
        if not rows:
            return None
        picked = {field.name: _picked(getattr(own, field.name), rows) for field in fields(own) if field.name != "prior"}
        return replace(own, **{**picked, "masks": None, "weights": None, "captions": [prompts[row] for row in rows]})

    def _prompt(self, showing: Showing) -> str:
        concept = self._learnt.entries[showing.entry].concept
        return "" if concept is None else self._prompts[concept]

    @property
    def captions(self) -> list[str]:
        """As `Prior` has it."""
        return [prompt for prompt in self._prompts if prompt]

    @property
    def facts(self) -> list[object]:
        """As `Prior` has it."""
        return [*self._prompts]


def _picked(values: Any, rows: list[int]) -> Any:
    if values is None:
        return None
    return [values[row] for row in rows] if isinstance(values, list) else values[rows]
