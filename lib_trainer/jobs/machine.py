"""Which graphics card this machine has, and whether the torch that pip installs by default computes on it."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Vendor = Literal["NVIDIA", "AMD", "Intel"]
Ask = Callable[[Sequence[str]], str]

ASK_SECONDS = 20
VENDOR_IDS: dict[str, Vendor] = {"0x10de": "NVIDIA", "0x1002": "AMD", "0x8086": "Intel"}
DISCRETE_AMD_BYTES = 4_000_000_000  # the memory that a processor's own Radeon sets aside is smaller, unless told to
WSL_NVIDIA_SMI = "usr/lib/wsl/lib/nvidia-smi"
CARD_NAMES = "(Get-CimInstance Win32_VideoController).Name"
WINDOWS_CARDS = ("powershell", "-NoProfile", "-NonInteractive", "-Command", CARD_NAMES)


@dataclass(frozen=True)
class Card:
    """A graphics card that torch could compute on; what its driver does not tell is None."""

    vendor: Vendor
    name: str
    capability: float | None = None
    driver: int | None = None


@dataclass(frozen=True)
class Machine:
    """Named as Python's `platform` does: `system` Linux, Windows, Darwin; `processor` x86_64, AMD64, arm64, aarch64."""

    system: str
    processor: str
    cards: tuple[Card, ...] = ()


def ask(command: Sequence[str]) -> str:
    """What a program prints, or nothing if there is no such program or it fails."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=ASK_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def this_machine(
    system: str | None = None, processor: str | None = None, root: Path = Path("/"), answer: Ask = ask
) -> Machine:
    """Look at the machine; graphics that are part of a processor don't count as a card.

    `root` is where `/sys` and `/proc` are, `answer` runs a program and returns what it prints.
    """
    system = system or platform.system()
    processor = processor or platform.machine()
    cards: list[Card] = []
    if system in ("Linux", "Windows"):
        cards = _asked_nvidia(root, answer)
        others = _linux_cards(root) if system == "Linux" else _windows_cards(answer)
        cards += [card for card in others if card.vendor != "NVIDIA" or not cards]
    return Machine(system, processor, tuple(cards))


def _asked_nvidia(root: Path, answer: Ask) -> list[Card]:
    programs = ("nvidia-smi", str(root / WSL_NVIDIA_SMI))
    for fields in ("name,driver_version,compute_cap", "name,driver_version"):  # old drivers don't know the third
        for program in programs:
            lines = answer((program, f"--query-gpu={fields}", "--format=csv,noheader")).splitlines()
            if cards := [_nvidia(line) for line in lines if line.count(",") >= 1]:
                return cards
    return []


def _nvidia(line: str) -> Card:
    name, driver, capability = (*(part.strip() for part in line.split(",")), "")[:3]
    return Card(
        "NVIDIA",
        name,
        float(capability) if re.fullmatch(r"\d+\.\d+", capability) else None,
        int(driver.partition(".")[0]) if driver[:1].isdigit() else None,
    )


def _linux_cards(root: Path) -> list[Card]:
    devices = (path / "device" for path in sorted((root / "sys/class/drm").glob("card*")) if path.name[4:].isdigit())
    return [card for device in devices if (card := _linux_card(root, device)) is not None]


def _linux_card(root: Path, device: Path) -> Card | None:
    vendor = VENDOR_IDS.get(_read(device / "vendor"))
    if vendor == "NVIDIA":
        return Card("NVIDIA", "a card without a working driver")
    if vendor == "AMD":
        memory = _read(device / "mem_info_vram_total")
        is_discrete = int(memory) >= DISCRETE_AMD_BYTES if memory.isdigit() else (root / "dev/kfd").exists()
        return Card("AMD", "an AMD card") if is_discrete else None
    if vendor == "Intel":
        bus = device.resolve().name.split(":")  # 0000:03:00.0; a processor's own graphics are on bus 00
        return Card("Intel", "an Intel Arc card") if len(bus) == 3 and bus[1] != "00" else None
    return None


def _windows_cards(answer: Ask) -> list[Card]:
    names = (name.strip() for name in answer(WINDOWS_CARDS).splitlines())
    return [Card(vendor, name) for name in names if (vendor := _windows_vendor(name)) is not None]


def _windows_vendor(name: str) -> Vendor | None:
    if re.search(r"NVIDIA|GeForce|Quadro", name):
        return "NVIDIA"
    if re.search(r"\bAMD\b|Radeon", name):
        return None if name.endswith("Graphics") else "AMD"  # `AMD Radeon 780M Graphics` is part of a processor
    if re.search(r"\bArc\b.*\b[AB]\d{2,3}M?\b", name):  # A770, B580, Pro B60; `Arc 140V GPU` is part of a processor
        return "Intel"
    return None


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""
