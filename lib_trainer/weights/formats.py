"""In which forms a whole model can be written."""

from __future__ import annotations

from typing import Literal

CheckpointFormat = Literal["safetensors", "ckpt", "diffusers"]
SUFFIXES: dict[CheckpointFormat, str] = {"safetensors": ".safetensors", "ckpt": ".ckpt", "diffusers": ""}
