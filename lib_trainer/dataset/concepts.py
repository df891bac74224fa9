"""The folders that a dataset learns from: the one of the whole training, and those of concepts with their own words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from lib_trainer.dataset.concept_options import ConceptOptions, check_concepts
from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.images.pictures import PictureFolder


@dataclass(frozen=True)
class Source:
    """One folder with the options that hold in it, and the number of its concept, from 0, or None."""

    options: DatasetOptions
    concept: int | None
    apart: tuple[Path, ...]

    def picked(self, found: PictureFolder) -> PictureFolder:
        """What lies in no folder of another concept inside this one."""
        if not self.apart:
            return found
        pictures = [one for one in found.pictures if not any(place in one.path.parents for place in self.apart)]
        skipped = [one for one in found.skipped if not any(place in one.path.parents for place in self.apart)]
        return replace(found, pictures=pictures, skipped=skipped)


def sources(options: DatasetOptions) -> Iterator[Source]:
    """The folder of the training, then those of the concepts that have one of their own.

    Raises:
        ConfigError: two folders turn out to be the same, or one inside the other, where links lead.
    """
    told = options.concepts
    check_concepts(options.folder.resolve(), [_resolved(concept) for concept in told])
    folders = [concept.folder or options.folder for concept in told]
    main = next((number for number, folder in enumerate(folders) if folder == options.folder), None)
    yield _source(options, options.folder, main, folders)
    for number, folder in enumerate(folders):
        if number != main:
            yield _source(options, folder, number, folders)


def _resolved(concept: ConceptOptions) -> ConceptOptions:
    folder, kept = (place and place.resolve() for place in (concept.folder, concept.class_folder))
    return replace(concept, folder=folder, class_folder=kept)


def _source(options: DatasetOptions, folder: Path, concept: int | None, folders: list[Path]) -> Source:
    inside = tuple(other for other in folders if folder in other.parents)
    told = options.concepts[concept] if concept is not None else ConceptOptions()
    captions = replace(options.captions, prompt=told.prompt) if told.prompt.strip() else options.captions
    repeats = options.repeats * told.repeats
    return Source(replace(options, folder=folder, captions=captions, repeats=repeats, concepts=()), concept, inside)
