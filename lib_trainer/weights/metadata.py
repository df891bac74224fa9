"""What a network file says about itself: kohya's `ss_*` keys, as the WebUI reads them, and `modelspec.*`.

Every value is text; tables are JSON. Sources: the WebUI's Lora extension (which keys it shows, its rule for the version
of the base model) and the Stability AI model metadata standard 1.0.0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from lib_trainer.models.families import FAMILIES
from lib_trainer.models.model import Prediction

ARCHITECTURE = "modelspec.architecture"


@dataclass(frozen=True)
class NetworkFacts:
    """What is known about a network when it is written; resolution in pixels, times in seconds since 1970."""

    family: str
    base_name: str
    prediction: Prediction
    resolution: int
    clip_skip: int
    trigger: str
    started_at: float
    finished_at: float
    epoch: int
    step: int
    seed: int
    options: dict[str, str] = field(default_factory=dict)  # further ss_* facts: learning rates, optimizer, ...
    buckets: dict[tuple[int, int], int] = field(default_factory=dict)  # (width, height) -> pictures
    folders: dict[str, tuple[int, int]] = field(default_factory=dict)  # name -> (repeats, pictures)
    tags: dict[str, dict[str, int]] = field(default_factory=dict)  # folder name -> tag -> how often


def network_metadata(name: str, facts: NetworkFacts, of_network: dict[str, str]) -> dict[str, str]:
    """The header of the file `name` (its stem, which is also its alias in the WebUI); hashes are added on writing."""
    labels = FAMILIES[facts.family].labels
    buckets = {
        str(number): {"resolution": list(size), "count": count}
        for number, (size, count) in enumerate(sorted(facts.buckets.items()))
    }
    folders = {folder: {"n_repeats": repeats, "img_count": count} for folder, (repeats, count) in facts.folders.items()}
    return {
        "ss_output_name": name,
        "ss_base_model_version": labels.base[facts.prediction],
        "ss_v2": str(labels.is_v2),
        "ss_sd_model_name": facts.base_name,
        "ss_clip_skip": str(facts.clip_skip),
        "ss_resolution": f"({facts.resolution}, {facts.resolution})",
        "ss_training_started_at": str(facts.started_at),
        "ss_training_finished_at": str(facts.finished_at),
        "ss_epoch": str(facts.epoch),
        "ss_steps": str(facts.step),
        "ss_seed": str(facts.seed),
        "ss_num_train_images": str(sum(repeats * count for repeats, count in facts.folders.values())),
        "ss_bucket_info": json.dumps({"buckets": buckets}),
        "ss_dataset_dirs": json.dumps(folders),
        "ss_tag_frequency": json.dumps(facts.tags),
        **of_network,
        **facts.options,
        **_modelspec(name, facts, labels.architecture[facts.prediction]),
    }


def embedding_metadata(name: str, facts: NetworkFacts, of_word: dict[str, str]) -> dict[str, str]:
    """The header of an embedding: a network's, but for the kind."""
    told = network_metadata(name, facts, of_word)
    return {**told, ARCHITECTURE: told[ARCHITECTURE].replace("/lora", "/textual-inversion")}


OLD_AVERAGES = ("model_ema.",)  # in checkpoints, untrue once the model is trained


def checkpoint_metadata(name: str, facts: NetworkFacts) -> dict[str, str]:
    """What the header of a trained checkpoint adds to its source's."""
    architecture = FAMILIES[facts.family].labels.architecture[facts.prediction]
    return {
        **_modelspec(name, facts, architecture.removesuffix("/lora")),
        "ss_sd_model_name": facts.base_name,
        "ss_epoch": str(facts.epoch),
        "ss_steps": str(facts.step),
    }


def _modelspec(name: str, facts: NetworkFacts, architecture: str) -> dict[str, str]:
    return {
        "modelspec.sai_model_spec": "1.0.0",
        ARCHITECTURE: architecture,
        "modelspec.implementation": "diffusers",
        "modelspec.title": name,
        "modelspec.resolution": f"{facts.resolution}x{facts.resolution}",
        "modelspec.prediction_type": facts.prediction,
        **({"modelspec.trigger_phrase": facts.trigger} if facts.trigger else {}),
    }


def hash_entries(whole: str, legacy: str) -> dict[str, str]:
    """The header's hashes: SHA-256 of the data behind the header, and the WebUI's old short one, both in hex."""
    return {"sshs_model_hash": whole, "sshs_legacy_hash": legacy, "modelspec.hash_sha256": f"0x{whole}"}
