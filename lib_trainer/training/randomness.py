"""Random numbers that depend on the seed and the place in the run alone, so that resuming replays them exactly."""

from __future__ import annotations

import random
from hashlib import sha256
from typing import Any

import torch


def generator(*place: object) -> torch.Generator:
    """A CPU generator for one place, such as `(seed, "noise", step, batch)`; the same place gives the same numbers."""
    digest = sha256("/".join(map(str, place)).encode("utf-8")).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:7], "big"))


def global_states() -> dict[str, Any]:
    """The states of the generators that libraries draw from (dropout, say)."""
    states: dict[str, Any] = {"python": list(random.getstate()[1]), "torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def restore_global_states(states: dict[str, Any]) -> None:
    """Put the libraries' generators back to what `global_states` saw."""
    random.setstate((3, tuple(states["python"]), None))
    torch.set_rng_state(states["torch"])
    if "cuda" in states and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(states["cuda"])


def seed_global(seed: int) -> None:
    """Start the libraries' generators from a seed."""
    random.seed(seed)
    torch.manual_seed(seed)
