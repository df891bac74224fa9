"""The samplers by the WebUI's names: which of diffusers' schedulers each is, and with what settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from lib_trainer.models.sampler_names import SamplerName


@dataclass(frozen=True)
class Sampler:
    """A class of `diffusers` with its settings, and the two names under which the WebUI's `parameters` text has it."""

    scheduler: str
    settings: Mapping[str, object]
    webui_sampler: str
    webui_schedule: str


# k-diffusion, which the WebUI uses, starts at the largest noise level and ends at zero: "linspace", "zero".
FULL_RANGE = MappingProxyType({"timestep_spacing": "linspace"})
DPM = MappingProxyType({"algorithm_type": "dpmsolver++", "solver_order": 2, "final_sigmas_type": "zero", **FULL_RANGE})
LATENT_DIFFUSION = MappingProxyType({"clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1})

SAMPLERS: Mapping[SamplerName, Sampler] = MappingProxyType(
    {
        "DPM++ 2M": Sampler("DPMSolverMultistepScheduler", DPM, "DPM++ 2M", "Uniform"),
        "DPM++ 2M Karras": Sampler(
            "DPMSolverMultistepScheduler", {"use_karras_sigmas": True, **DPM}, "DPM++ 2M", "Karras"
        ),
        "Euler": Sampler("EulerDiscreteScheduler", FULL_RANGE, "Euler", "Automatic"),
        "Euler a": Sampler("EulerAncestralDiscreteScheduler", FULL_RANGE, "Euler a", "Automatic"),
        "DDIM": Sampler("DDIMScheduler", LATENT_DIFFUSION, "DDIM", "Automatic"),
    }
)
