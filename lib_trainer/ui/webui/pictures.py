"""Pictures of one model and network, drawn by the WebUI's own pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any

from lib_trainer.comparison.options import CompareOptions
from lib_trainer.comparison.plan import Cell
from lib_trainer.core.errors import ConfigError

OTHER_NETWORKS = re.compile(r"<[^<>:]+:[^<>]*>")  # the first prompt's count for a whole batch


def sampler_of(name: str) -> tuple[str, str]:
    """Sampler and scheduler of a name such as `DPM++ 2M Karras`; without a scheduler it is the sampler's usual one.

    Raises:
        ConfigError: the WebUI has no such sampler; it would take another one in its place.
    """
    from modules import sd_samplers

    sampler, scheduler = sd_samplers.get_sampler_and_scheduler(name, "Automatic", convert_automatic=False)
    if not name.startswith(sampler) or (name != sampler and scheduler == "Automatic"):
        known = ", ".join(sd_samplers.all_samplers_map)
        raise ConfigError(f"'samplers' has {name!r}, which this WebUI does not have; it has {known}.")
    return sampler, scheduler


def batches(cells: Iterable[Cell], size: int) -> Iterator[list[Cell]]:
    """Cells of one row that can be drawn at once: they differ in prompt and seed only, and have networks in common."""
    alike: dict[tuple[Any, ...], list[Cell]] = {}
    for cell in cells:
        shared = tuple(each for each in cell.column.settings if each[0] not in ("prompt", "seed"))
        networks = tuple(OTHER_NETWORKS.findall(cell.column.values["prompt"]))
        alike.setdefault((shared, networks), []).append(cell)
    for group in alike.values():
        for start in range(0, len(group), size):
            yield group[start : start + size]


def draw(options: CompareOptions, cells: Sequence[Cell], name: str | None, overrides: dict[str, Any]) -> Any:
    """What the WebUI's `process_images` makes of a batch; `name` is the network's in a prompt.

    Nothing is saved by the WebUI.
    """
    from modules import processing, scripts

    made = _processing(options, cells, name, overrides)
    made.scripts = scripts.ScriptRunner()  # of no scripts; without one the texts would lack the network
    made.script_args = []
    with closing(made):
        return processing.process_images(made)


def results(done: Any) -> list[tuple[Any, str]]:
    """The pictures with their texts."""
    first = done.index_of_first_image
    return list(zip(done.images[first:], done.infotexts[first:], strict=False))


def _processing(options: CompareOptions, cells: Sequence[Cell], name: str | None, overrides: dict[str, Any]) -> Any:
    from modules import processing, shared

    values = [cell.column.values for cell in cells]
    phrase = f"<lora:{name}:{cells[0].row.strength:g}>" if name else ""
    sampler, scheduler = sampler_of(values[0]["sampler"])
    same = {"CLIP_stop_at_last_layers": options.clip_skip, "sd_lora": "None"}
    return processing.StableDiffusionProcessingTxt2Img(
        prompt=[" ".join(filter(None, (each["prompt"], phrase))) for each in values],
        negative_prompt=options.negative_prompt,
        seed=[each["seed"] for each in values],
        sampler_name=sampler,
        scheduler=scheduler,
        steps=values[0]["steps"],
        cfg_scale=values[0]["cfg_scale"],
        width=values[0]["size"].width,
        height=values[0]["size"].height,
        batch_size=len(cells),
        n_iter=1,
        restore_faces=False,
        tiling=False,
        do_not_save_samples=True,
        do_not_save_grid=True,
        override_settings={name: value for name, value in same.items() if name in shared.opts.data_labels} | overrides,
    )
