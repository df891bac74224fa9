"""What a training ends in: a LoRA, a whole checkpoint, an embedding or a hypernetwork, and the files of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lib_trainer.core.errors import ConfigError

Output = Literal["lora", "checkpoint", "embedding", "hypernetwork"]
FileFormat = Literal["safetensors", "ckpt", "pt", "diffusers"]
ENDINGS: dict[FileFormat, str] = {"safetensors": ".safetensors", "ckpt": ".ckpt", "pt": ".pt", "diffusers": ""}


@dataclass(frozen=True)
class OutputKind:
    """One line of the table.

    Args:
        word: what users call it.
        folder: where the WebUI reads it from, in its own folder.
        formats: those that it can be written in, the usual one first.
        phrase: how a prompt calls it up, with `{name}` and `{strength}`; empty where no prompt does.
    """

    word: str
    folder: tuple[str, ...]
    formats: tuple[FileFormat, ...]
    phrase: str

    def named(self, name: str, strength: float) -> str:
        """The phrase for a file of that name, or nothing."""
        return self.phrase.format(name=name, strength=f"{strength:g}")


OUTPUTS: dict[Output, OutputKind] = {
    "lora": OutputKind("LoRA", ("models", "Lora"), ("safetensors",), "<lora:{name}:{strength}>"),
    "checkpoint": OutputKind(
        "checkpoint", ("models", "Stable-diffusion"), ("safetensors", "ckpt", "diffusers"), ""
    ),
    "embedding": OutputKind("embedding", ("embeddings",), ("safetensors", "pt"), "{name}"),
    "hypernetwork": OutputKind("hypernetwork", ("models", "hypernetworks"), ("pt",), "<hypernet:{name}:{strength}>"),
}


def chosen_format(output: Output, wished: FileFormat | Literal["auto"]) -> FileFormat:
    """The format that the files are written in.

    Raises:
        ConfigError: no such files of that kind are written.
    """
    kind = OUTPUTS[output]
    if wished == "auto":
        return kind.formats[0]
    if wished not in kind.formats:
        can = " or ".join(("auto", *kind.formats))
        raise ConfigError(f"'saving.format' is {wished!r}, in which no {kind.word} is written; set it to {can}.")
    return wished


def beside(file: Path, ending: str) -> Path:
    """What lies beside a finished file under its name, as `fox-e003.json`; a folder's name may have dots in it."""
    name = file.stem if file.suffix in ENDINGS.values() else file.name
    return file.with_name(name + ending)
