"""The models that captioners can download, each with where it comes from, how large it is and its licence."""

from __future__ import annotations

from dataclasses import dataclass, field

TAGS_V3 = "298633d94d0031d2081c0893f29c82eab7f0df00b08483ba8f29d1e979441217"
DEEPDANBOORU = "https://github.com/AUTOMATIC1111/TorchDeepDanbooru/releases/download/v1"


@dataclass(frozen=True)
class KnownModel:
    """One model: which captioner it is for, its repository and state there, its size in bytes (about) and checksums.

    `sha256` names the files whose checksums are known here; those of the others are told by the hub. Where `repository`
    is an address, `files` are what lies there; else all that a model of the hub needs is taken.
    """

    kind: str
    repository: str
    bytes: int
    licence: str
    said: str
    revision: str = "main"
    files: tuple[str, ...] = ()
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def is_of_the_hub(self) -> bool:
        """Whether it lies on the Hugging Face hub."""
        return "://" not in self.repository


TAG_LIST = "selected_tags.csv"
WD14_FILES = ("model.onnx", TAG_LIST)
KNOWN_MODELS = {
    "wd-swinv2-tagger-v3": KnownModel(
        "wd14", "SmilingWolf/wd-swinv2-tagger-v3", 467_769_446, "Apache-2.0", "tags, the usual choice",
        "627aef95638667ddcaa3ac8ae625e88ea5b02f51", WD14_FILES,
        {"model.onnx": "e6774bff34d43bd49f75a47db4ef217dce701c9847b546523eb85ff6dbba1db1", TAG_LIST: TAGS_V3},
    ),
    "wd-vit-tagger-v3": KnownModel(
        "wd14", "SmilingWolf/wd-vit-tagger-v3", 378_844_778, "Apache-2.0", "tags, a little quicker",
        "790b0e92cefd2a0221451604e7831fe643ab7c4f", WD14_FILES,
        {"model.onnx": "35f23693620b668f4d53fd3c62bf65e40af739bc52c7eb0fbc49258b58d065b6", TAG_LIST: TAGS_V3},
    ),
    "wd-eva02-large-tagger-v3": KnownModel(
        "wd14", "SmilingWolf/wd-eva02-large-tagger-v3", 1_260_744_467, "Apache-2.0", "tags, the best and slowest",
        "b25b82a03f7282e41aa2f257a52c7583b710bd1c", WD14_FILES,
        {"model.onnx": "9e768793060c7939b277ccb382783e8670e8a042d29d77aa736be0c8cc898bfc", TAG_LIST: TAGS_V3},
    ),
    "wd-convnext-tagger-v3": KnownModel(
        "wd14", "SmilingWolf/wd-convnext-tagger-v3", 395_000_000, "Apache-2.0", "tags", files=WD14_FILES
    ),
    "wd-v1-4-moat-tagger-v2": KnownModel(
        "wd14", "SmilingWolf/wd-v1-4-moat-tagger-v2", 326_000_000, "Apache-2.0", "tags of 2022", files=WD14_FILES
    ),
    "florence-2-large": KnownModel(
        "florence2", "florence-community/Florence-2-large", 1_660_000_000, "MIT", "sentences, the usual choice"
    ),
    "florence-2-base": KnownModel(
        "florence2", "florence-community/Florence-2-base", 470_000_000, "MIT", "sentences, quicker"
    ),
    "blip-image-captioning-large": KnownModel(
        "blip", "Salesforce/blip-image-captioning-large", 1_880_000_000, "BSD-3-Clause", "short sentences"
    ),
    "blip-image-captioning-base": KnownModel(
        "blip", "Salesforce/blip-image-captioning-base", 990_000_000, "BSD-3-Clause", "short sentences, quicker"
    ),
    "deepdanbooru-v3": KnownModel(
        "deepdanbooru", DEEPDANBOORU, 644_144_887, "MIT", "older tags", files=("model-resnet_custom_v3.pt",),
        sha256={"model-resnet_custom_v3.pt": "3841542cda4dd037da12a565e854b3347bb2eec8fbcd95ea3941b2c68990a355"},
    ),
}  # fmt: skip
