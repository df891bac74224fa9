"""The step `plan`: what a training with these options would do, worked out without starting it."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import OutputError, StopRequested
from lib_trainer.core.events import Notice, Table
from lib_trainer.core.outputs import ENDINGS
from lib_trainer.core.places import cache_folder
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.core.units import duration, file_size
from lib_trainer.dataset.drawing_lots import Lots
from lib_trainer.dataset.held_out import trained
from lib_trainer.dataset.options import DatasetOptions, held_out_options
from lib_trainer.dataset.order import steps_per_epoch
from lib_trainer.dataset.overrides import times
from lib_trainer.dataset.progress import PictureProgress
from lib_trainer.dataset.prospects import Survey, check_step, survey
from lib_trainer.models.checkpoints import count_weights, read_outline
from lib_trainer.models.machine import Machine, formats
from lib_trainer.models.outline import Outline
from lib_trainer.trainables.base import NetworkOutline
from lib_trainer.training.checks import check_captions, check_formats, check_model
from lib_trainer.training.class_plan import planned_classes
from lib_trainer.training.facts import Moment, network_facts
from lib_trainer.training.file_names import free_name
from lib_trainer.training.file_sizes import (
    NetworkSizes,
    count_networks,
    planned_networks,
    planned_state,
    state_bytes,
)
from lib_trainer.training.length import Length
from lib_trainer.training.memory_need import memory_need
from lib_trainer.training.options import TrainingOptions
from lib_trainer.training.remarks import (
    class_remarks,
    file_remarks,
    length_remarks,
    picture_remarks,
    rate_remarks,
    reading_remarks,
    room_remarks,
)
from lib_trainer.training.timings import known_machine, known_seconds
from lib_trainer.training.words import check_words, network_outline

NOT_TIMED = "Known after the first steps."


def plan(options: TrainingOptions, run: RunDirectory) -> dict[str, Any]:
    """Say what `train` would do: pictures, steps, files with their sizes in bytes, memory, time, and remarks.

    Raises:
        TrainerError: what `train` would raise before its first step, as far as it can be told without the weights.
    """
    model = read_outline(options.model, options.vae)
    machine = known_machine()
    chosen = formats(options.precision, options.kept_precision, machine, lambda: count_weights(options.model))
    check_formats(options, chosen, machine.kind)
    check_model(options, model)
    check_step(options.dataset, model.pixels_per_latent)
    try:
        found = _trained(options, _look(options.dataset, run))
        if options.validation.folder is not None:
            _look(held_out_options(options.dataset, options.validation.folder), run)
    except StopRequested:
        return {}
    check_captions(options, [picture.caption for picture in found.pictures])
    classes = planned_classes(options, found.pictures)
    network = network_outline(options, model)
    planned = _Planned(options, found, model, network)
    need = memory_need(options, model, network, chosen, machine.kind)
    told = {**planned.lengths(), **planned.files(), **_time(planned, machine)}
    told |= {"memory_bytes": need.whole, "memory_said": need.said(machine.kind)}
    told["remarks"] = [
        *planned.remarks(),
        *class_remarks(options, classes),
        *reading_remarks(options, machine),
        *room_remarks(told["bytes_total"], told["bytes_free"], need.whole, machine),
    ]
    for event in (*found.report, _table(told, planned.length), *(Notice(remark) for remark in told["remarks"])):
        run.append(event)
    return told


def _trained(options: TrainingOptions, found: Survey) -> Survey:
    """What is trained on, without the share that is kept aside."""
    share, seed = options.validation.share, options.validation.seed
    if not share:
        return found
    left = replace(found, pictures=trained(found.pictures, options.dataset, cache_folder(), share, seed))
    count = len(found.files) - len(left.files)
    left.report.append(Notice(f"{count} of {len(found.files)} pictures are kept aside to measure."))
    return left


def _look(options: DatasetOptions, run: RunDirectory) -> Survey:
    progress = PictureProgress(run.append, "Looking at pictures")

    def looked(done: int, total: int) -> None:
        if run.stop_requested():
            raise StopRequested
        progress.tell(done, total)

    return survey(options, cache_folder(), looked)


@dataclass(frozen=True)
class _Planned:
    """A training as far as it is known before it starts."""

    options: TrainingOptions
    found: Survey
    model: Outline
    network: NetworkOutline

    @cached_property
    def batches(self) -> list[int]:
        """Of each epoch; one number where all have as many."""
        options, pictures = self.options, self.found.pictures
        buckets, last = [picture.bucket for picture in pictures], options.dataset.rating.last_epoch
        lots = Lots(last, options.epochs, options.seed)
        epochs = range(lots.differing(pictures))
        return [steps_per_epoch(buckets, lots.repeats(pictures, epoch), options.batch_size) for epoch in epochs]

    @cached_property
    def length(self) -> Length:
        return Length.of(self.options, self.batches)

    @cached_property
    def folder(self) -> Path:
        """Where the networks go."""
        return self.options.output_folder

    @cached_property
    def name(self) -> str:
        """What the networks are going to be called, before the epoch."""
        return free_name(self.folder, self.options.name)

    def lengths(self) -> dict[str, Any]:
        """Pictures, epochs, steps, and the sizes of the pictures."""
        pictures = self.found.pictures
        counts = Counter(picture.bucket for picture in pictures)
        showings: Counter[tuple[int, int]] = Counter()
        for picture in pictures:
            showings[picture.bucket] += times(picture, 0, self.options.seed)
        return {
            "pictures": len(self.found.files),
            "captioned": sum(picture.captioned for picture in self.found.files),
            "repeats": self.options.dataset.repeats,
            "in_epoch": sum(showings.values()),
            "batches": self.batches[0],
            "epochs": self.options.epochs,
            "steps_per_epoch": self.length.steps_per_epoch,
            "steps": self.length.steps,
            "buckets": [
                {"size": list(size), "pictures": counts[size], "in_epoch": showings[size]} for size in sorted(counts)
            ],
        }

    def files(self) -> dict[str, Any]:
        """The networks, and the state that is kept in the run's own folder; very many are not all listed."""
        now = time.time()
        facts = network_facts(self.options, self.model, self.found.pictures, Moment(0, 0, now, now))
        sizes = NetworkSizes(self.options, self.network)
        networks: list[dict[str, Any]] = []
        for each in planned_networks(self.options, self.length, self.name):
            size = sizes.of(each.stem, replace(facts, epoch=each.epoch, step=each.step))
            name = each.stem + ENDINGS[self.options.file_format]
            networks.append({"kind": "network", "name": name, "bytes": size})
        count = count_networks(self.options, self.length)
        files, last = list(networks), planned_state(self.options, self.length)
        if last:
            files.append({"kind": "state", "name": last, "bytes": state_bytes(self.options, self.network)})
        unlisted = (count - len(networks)) * networks[-1]["bytes"]
        return {
            "name": self.name,
            "folder": str(self.folder),
            "files": files,
            "networks": count,
            "bytes_total": sum(each["bytes"] for each in files) + unlisted,
            "bytes_free": _free(self.folder),
        }

    def remarks(self) -> list[str]:
        """What the user should know of it."""
        return [
            *picture_remarks(self.options, self.found),
            *check_words(self.options, [picture.caption for picture in self.found.pictures]),
            *length_remarks(self.length),
            *rate_remarks(self.options),
            *file_remarks(self.options, self.name, self.model),
        ]


def _time(planned: _Planned, machine: Machine) -> dict[str, Any]:
    seconds = known_seconds(planned.options, machine)
    if seconds is None:
        return {"seconds": None, "seconds_said": NOT_TIMED}
    whole = seconds * planned.length.steps
    return {
        "seconds": round(whole, 1),
        "seconds_said": f"About {duration(whole)}, at {seconds:.2g} s a step as in an earlier run on this machine.",
    }


def _free(folder: Path) -> int:
    """Bytes free on the disk of a folder that may not be there yet.

    Raises:
        OutputError: there is no such disk.
    """
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    try:
        return shutil.disk_usage(there).free
    except OSError as error:
        raise OutputError(f"{folder} can't be reached ({error}); set 'saving.folder' to another one.") from error


def _table(told: dict[str, Any], length: Length) -> Table:
    first = told["files"][0]
    rows = [
        ["Pictures in one epoch", str(told["in_epoch"])],
        ["Epochs", str(told["epochs"])],
        ["Steps", f"{told['steps']} ({length.steps_per_epoch} {'in the first' if length.ends else 'an'} epoch)"],
        ["Files", f"{told['networks']} of {file_size(first['bytes'])}, the first is {first['name']}"],
        ["Folder", told["folder"]],
        ["Disk", f"{file_size(told['bytes_total'])} of {file_size(told['bytes_free'])} that are free"],
        ["Memory", told["memory_said"]],
        ["Time", told["seconds_said"]],
    ]
    return Table("The plan", ["What", "How much"], rows)
