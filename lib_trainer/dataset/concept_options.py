"""The options of one concept of DreamBooth: its pictures, its words, and the class of things that it belongs to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import existing, labelled, option


@dataclass(frozen=True, kw_only=True)
class ConceptOptions:
    """One thing to learn, and the class of things that it belongs to."""

    folder: Path | None = existing(
        None, "Folder with the pictures of this concept; empty means the folder of pictures of the whole training."
    )
    prompt: str = option(
        "", "Caption of its pictures that have none of their own, with its new word: 'a photo of sks dog'."
    )
    repeats: int = option(
        1, "How often each of its pictures comes in an epoch, besides what the folder and the training say.", ge=1
    )
    class_prompt: str = option(
        "",
        "The same without the new word, 'a photo of a dog': what this draws now it shall draw afterwards. Empty keeps "
        "nothing, unless there is a folder of class pictures.",
    )
    class_folder: Path | None = labelled(
        "Folder of class pictures",
        option(
            None,
            "Your own pictures of the class, whose captions count before the class prompt; missing ones are drawn into "
            "it. Empty means the trainer's own folder.",
        ),
    )

    @property
    def keeps_class(self) -> bool:
        """Whether anything is said of its class."""
        return bool(self.class_prompt.strip()) or self.class_folder is not None


def check_concepts(folder: Path, concepts: Sequence[ConceptOptions]) -> None:
    """Check that no folder serves for two things; only the paths are looked at, not the disk.

    Raises:
        ConfigError: two concepts have one folder, or class pictures would be learnt, or the other way round.
    """
    learnt = [concept.folder or folder for concept in concepts]
    for (first, one), (second, other) in combinations(enumerate(learnt, start=1), 2):
        if _normal(one) == _normal(other):
            raise ConfigError(
                f"'concepts.{second}.folder' is {other}, the folder of concept {first} too; give each concept its own."
            )
    for number, concept in enumerate(concepts, start=1):
        if concept.class_folder is not None:
            for place in dict.fromkeys([*learnt, folder]):
                _check_apart(number, concept.class_folder, place)


def _check_apart(number: int, kept: Path, learnt: Path) -> None:
    one, other = _normal(kept), _normal(learnt)
    if one == other:
        how = "is the folder of the pictures to learn as well"
    elif other in one.parents:
        how = f"lies inside {learnt}, the folder of the pictures to learn"
    elif one in other.parents:
        how = f"holds {learnt}, the folder of the pictures to learn"
    else:
        return
    raise ConfigError(f"'concepts.{number}.class_folder': {kept} {how}; give class pictures a folder apart.")


def _normal(path: Path) -> Path:
    return Path(os.path.normcase(os.path.normpath(path)))
