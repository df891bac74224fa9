"""The samplers' names, as the WebUI has them; what each is stands in `samplers.py`."""

from __future__ import annotations

from typing import Literal

SamplerName = Literal["DPM++ 2M", "DPM++ 2M Karras", "Euler", "Euler a", "DDIM"]
