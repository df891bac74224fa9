"""One PNG for each cell, which says in its text what drew it; what is there already is not drawn again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from PIL.PngImagePlugin import PngInfo

from lib_trainer.comparison.digests import Digest
from lib_trainer.comparison.options import CompareOptions
from lib_trainer.comparison.plan import Cell
from lib_trainer.core.errors import OutputError
from lib_trainer.core.outputs import OUTPUTS, Output
from lib_trainer.core.whole_files import whole_file
from lib_trainer.models.sampling import SampleRequest, infotext

KEY = "lib-trainer-cell"  # the name of the PNG's text that holds the key
CALLED: tuple[Output, ...] = ("lora", "hypernetwork")  # by a phrase; an embedding's word is in the prompt already
KEY_VERSION = 2  # raise it when the same settings give other pictures than before
LONGEST_NAME = 80


@dataclass(frozen=True)
class Sources:
    """What the pictures are made from and in: the files' digests, the networks' kinds, the models' number formats."""

    models: Mapping[Path, Digest]
    networks: Mapping[Path, Digest]
    outputs: Mapping[Path, Output]
    arithmetic: Mapping[Path, str]


def request_for(options: CompareOptions, cells: Sequence[Cell]) -> SampleRequest:
    """The request that draws some cells of one row, which may differ in prompt and seed only."""
    values = [cell.column.values for cell in cells]
    shared = {name: value for name, value in values[0].items() if name not in ("prompt", "seed", "size")}
    size = values[0]["size"]
    return SampleRequest(
        prompts=tuple(each["prompt"] for each in values),
        seeds=tuple(each["seed"] for each in values),
        negative_prompt=options.negative_prompt,
        width=size.width,
        height=size.height,
        clip_skip=options.clip_skip,
        batch=options.batch_size,
        **shared,
    )


class CellFiles:
    """The cells' pictures in `cells` of the output folder."""

    def __init__(self, options: CompareOptions, sources: Sources) -> None:
        self._options, self._sources = options, sources
        self._folder = options.output / "cells"

    def key(self, cell: Cell) -> str:
        """SHA-256 of all that the cell's picture depends on."""
        settings = asdict(request_for(self._options, [cell]))
        settings.pop("batch")
        network = cell.row.network
        told = {
            "version": KEY_VERSION,
            "model": self._sources.models[cell.row.model].whole,
            "network": self._sources.networks[network].whole if network else None,
            "strength": cell.row.strength,
            "arithmetic": self._sources.arithmetic[cell.row.model],
            **settings,
        }
        return sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def path(self, cell: Cell) -> Path:
        """Where the cell lies; the name holds the start of its key, so that cells of other plans can lie beside it."""
        name = cell.row.network.stem[:LONGEST_NAME] if cell.row.network else "no-network"
        strength = f"-at-{cell.row.strength:g}" if cell.row.network else ""
        seed = cell.column.values["seed"]
        return self._folder / f"{name}{strength}-seed-{seed}-{self.key(cell)[:16]}.png"

    def is_drawn(self, cell: Cell) -> bool:
        """Whether the cell's picture is there, whole, and was drawn from the same files with the same settings."""
        size = cell.column.values["size"]
        try:
            with Image.open(self.path(cell)) as picture:
                picture.load()
                right_size = picture.size == (size.width, size.height)
                return right_size and picture.info.get(KEY) == self.key(cell)
        except (OSError, UnidentifiedImageError, SyntaxError, ValueError):
            return False  # not there, or damaged since: it is drawn again

    def save(self, cell: Cell, picture: Image.Image) -> Path:
        """Write one cell's picture with its texts.

        Raises:
            OutputError: the disk refuses.
        """
        texts = PngInfo()
        texts.add_text("parameters", self.parameters(cell))
        texts.add_text(KEY, self.key(cell))
        path = self.path(cell)
        save_png(path, picture, texts)
        return path

    def parameters(self, cell: Cell) -> str:
        """The `parameters` text with which the WebUI would draw this picture."""
        request = request_for(self._options, [cell])
        extra: dict[str, str | int | float] = {}
        network = cell.row.network
        output = self._sources.outputs[network] if network else None
        is_model = network is not None and output == "checkpoint"  # which stands in the place of the row's own
        model, drawn_with = self._sources.models[cell.row.model], cell.row.model
        if network and is_model:
            model, drawn_with = self._sources.networks[network], network
        if model.shown:
            extra["Model hash"] = model.shown
        if network and output in CALLED:
            phrase = OUTPUTS[output].named(network.stem, cell.row.strength)
            request = replace(request, prompts=(f"{request.prompts[0]} {phrase}",))
        if network and output == "lora":
            extra["Lora hashes"] = f"{network.stem}: {self._sources.networks[network].shown}"
        return infotext(request, 0, drawn_with.stem, extra)


def save_png(path: Path, picture: Image.Image, texts: PngInfo) -> None:
    """Write a PNG as a whole file.

    Raises:
        OutputError: the disk refuses.
    """
    try:
        with whole_file(path) as file:
            picture.save(file, "PNG", pnginfo=texts)
    except OSError as error:
        raise OutputError(
            f"{path} can't be written ({error}); make room or choose another 'output', then start again: "
            "what is drawn already is kept."
        ) from error
