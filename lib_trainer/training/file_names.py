"""What the files of a run are called."""

from __future__ import annotations

from pathlib import Path


def network_stem(name: str, step: int, epoch: int, epoch_end: bool) -> str:
    """A network's name without its ending: `fox-e003` at the end of an epoch, else `fox-e003-s000123`."""
    return f"{name}-e{epoch:03d}" + ("" if epoch_end else f"-s{step:06d}")


def state_file(step: int) -> str:
    """The name of a state."""
    return f"state-{step:08d}.pt"


def free_name(folder: Path, wanted: str) -> str:
    """The wanted name, with a number behind it if the folder holds networks of that name."""
    name, count = wanted, 1
    while any(folder.glob(f"{glob_escaped(name)}-e[0-9]*")):
        count += 1
        name = f"{wanted}-{count}"
    return name


def glob_escaped(name: str) -> str:
    """A pattern that fits this name alone."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)
