"""What the classes of the concepts are kept by; class pictures that are missing are drawn by the untouched model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_trainer.core.errors import StopRequested
from lib_trainer.core.events import Notice, Progress
from lib_trainer.core.places import cache_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.whole_files import write_text
from lib_trainer.dataset.class_pictures import class_entries, class_options
from lib_trainer.dataset.class_sets import DRAWN, MANIFEST, ClassSet
from lib_trainer.dataset.dataset import Dataset
from lib_trainer.dataset.digests import picture_digests
from lib_trainer.dataset.entries import Entry
from lib_trainer.dataset.opening import open_entries
from lib_trainer.dataset.order import Size
from lib_trainer.dataset.prior import ClassCaptions, ClassPictures, Prior
from lib_trainer.models.sampling import SampleRequest, infotext, sample
from lib_trainer.training.class_plan import planned_classes
from lib_trainer.training.options import TrainingOptions
from lib_trainer.training.patience import patiently
from lib_trainer.training.picture_files import write_picture

if TYPE_CHECKING:
    from lib_trainer.models.model import Model

Missing = tuple[Size, int, Path]


def open_prior(options: TrainingOptions, model: Model, learnt: Dataset, run: RunDirectory) -> Prior | None:
    """What belongs beside the batches of `learnt`, or None; class pictures that are missing are drawn first.

    The model must be as it was loaded; its VAE is released again.

    Raises:
        DataError: a concept has no class pictures and can have none.
        StopRequested: asked for while drawing; what was drawn until then is kept.
        ModelError, OutputError: as `sample` and `patiently`.
    """
    if not options.keeps_classes:
        return None
    if options.prior.kind == "prediction":
        return ClassCaptions(learnt, [concept.class_prompt.strip() for concept in options.dataset.concepts])
    context = learnt.context
    entries: list[Entry] = []
    for needed in planned_classes(options, learnt.entries):
        drawing = Drawing(options, model, needed, run)
        drawing.draw_missing()
        entries += class_entries(needed, drawing.folder, options.dataset, context)
    pictures = open_entries(entries, class_options(options.dataset), model, context)
    model.release_vae()
    return ClassPictures(pictures, learnt)


@dataclass(frozen=True)
class Drawing:
    """The drawn class pictures of one concept, in a folder by the model, the prompt and the settings."""

    options: TrainingOptions
    model: Model
    needed: ClassSet
    run: RunDirectory

    @property
    def folder(self) -> Path:
        """Where they lie; other words, settings or another model have a folder of their own."""
        key = sha256(json.dumps(self.manifest(), sort_keys=True).encode("utf-8")).hexdigest()
        return self.needed.folder / f"{DRAWN}{key[:12]}"

    def manifest(self) -> dict[str, Any]:
        """All that the pictures depend on but their sizes and seeds, which are in their names."""
        told, model = self.options.prior, self.model
        return {
            "model": _model_digest(self.options.model),
            "vae": model.vae_digest,
            "text_encoder": model.text_digest,
            "prediction": model.prediction,
            "prompt": self.needed.prompt,
            "negative_prompt": told.negative_prompt,
            "sampler": told.sampler,
            "steps": told.steps,
            "cfg_scale": told.cfg_scale,
            "clip_skip": self.options.clip_skip,
        }

    def draw_missing(self) -> None:
        """Draw what is not there yet, and say how far it is.

        Raises:
            StopRequested: asked for meanwhile; what is drawn stays.
        """
        if not self.needed.to_draw:
            return
        wanted = self.needed.drawn(self.folder)
        missing = [each for each in wanted if not each[2].exists()]
        if not missing:
            said = f"{len(wanted)} class pictures of '{self.needed.prompt}' are there already, in {self.folder}."
            self.run.append(Notice(said))
            return
        said = f"{len(missing)} class pictures of '{self.needed.prompt}' are drawn into {self.folder}."
        self.run.append(Notice(said))
        file = self.folder / MANIFEST
        text = json.dumps({"name": self.options.model.name, **self.manifest()}, indent=2, ensure_ascii=False)
        patiently(self.run, str(file), lambda: write_text(file, text))
        done = 0
        for some in _batches(missing, self.options.prior.at_once):
            self._draw(some, done, len(missing))
            done += len(some)

    def _draw(self, some: list[Missing], done: int, total: int) -> None:
        (width, height), told = some[0][0], self.options.prior
        request = SampleRequest(
            prompts=(self.needed.prompt,) * len(some),
            seeds=tuple(number for _, number, _ in some),
            negative_prompt=told.negative_prompt,
            steps=told.steps,
            cfg_scale=told.cfg_scale,
            sampler=told.sampler,
            width=width,
            height=height,
            clip_skip=self.options.clip_skip,
            batch=len(some),
        )
        self.run.append(Progress("Drawing class pictures", done, total, "pictures"))
        pictures = sample(self.model, request, lambda done, total: self.run.stop_requested())
        if not pictures:
            raise StopRequested
        for place, (picture, (_, _, path)) in enumerate(zip(pictures, some, strict=True)):
            text = infotext(request, place, self.options.model.stem)
            patiently(self.run, str(path), partial(write_picture, path, picture, text))
        self.run.append(Progress("Drawing class pictures", done + len(some), total, "pictures"))


def _batches(missing: list[Missing], most: int) -> Iterator[list[Missing]]:
    """Pictures of one size together."""
    for _, group in groupby(missing, key=lambda each: each[0]):
        same = list(group)
        yield from (same[start : start + most] for start in range(0, len(same), most))


def _model_digest(path: Path) -> str:
    """Of the bytes of a checkpoint, or of all files of a diffusers folder; remembered as those of pictures are."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    place = sha256(str(path).encode("utf-8")).hexdigest()[:16]
    found = picture_digests(files, cache_folder() / "digests" / f"{place}.json")
    told = [(file.relative_to(path).as_posix(), found.get(file, "")) for file in files]
    return sha256(json.dumps(told).encode("utf-8")).hexdigest()
