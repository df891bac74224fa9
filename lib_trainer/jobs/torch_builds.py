"""Whether the build of torch that pip installs by default serves a machine, and what to do where it does not."""

from __future__ import annotations

from lib_trainer.jobs.machine import Card, Machine

# The default build of torch 2.13.0 is made with CUDA 13.0 on Linux; on Windows and macOS it has no CUDA.
# Source: "PyTorch CUDA Support Matrix" in PyTorch's RELEASE.md, and the release notes of CUDA 13.
OLDEST_CAPABILITY = {"x86_64": 7.5, "aarch64": 8.0}
OLDEST_DRIVER = 580

HOW = (
    "Give the address of the build for it with the option torch_index (--torch-index): PyTorch's install page, 'Get "
    "started', shows it after --index-url when you choose your system and {platform}. To train on the CPU instead, "
    "choose torch_build default (--torch-build default)."
)


def objection(machine: Machine) -> str:
    """Why the default build must not be installed without asking; empty when it serves the machine."""
    if machine.system == "Darwin":
        return "" if machine.processor == "arm64" else _intel_mac()
    nvidia = [card for card in machine.cards if card.vendor == "NVIDIA"]
    if nvidia and machine.system == "Linux":
        return _too_old(nvidia, machine.processor)
    if not machine.cards:
        return ""
    card = (nvidia or list(machine.cards))[0]
    platform = {"NVIDIA": "CUDA", "AMD": "ROCm", "Intel": "XPU"}[card.vendor]
    return (
        f"This machine has {_article(card)} ({card.name}), but the default build of torch for {machine.system} would "
        f"leave it idle and train on the CPU, many times slower. {HOW.format(platform=platform)}"
    )


def remark(machine: Machine) -> str:
    """What is worth knowing although the default build will be installed; often empty."""
    if machine.system != "Linux":
        return ""
    if not machine.cards:
        return (
            "No graphics card was found; training will run on the CPU. The default build of torch for Linux brings "
            "several GB of CUDA all the same; torch_index (--torch-index) with the address of the CPU build saves them."
        )
    if machine.cards[0].vendor == "NVIDIA" and machine.cards[0].driver is None:
        return (
            "There is an NVIDIA card, but nvidia-smi does not answer: without a working driver training runs on the "
            "CPU. Install the driver; the engine need not be set up again for it."
        )
    return ""


def _too_old(cards: list[Card], processor: str) -> str:
    oldest = OLDEST_CAPABILITY.get(processor, OLDEST_CAPABILITY["x86_64"])
    newest = max(cards, key=lambda card: card.capability or oldest)
    if newest.capability is not None and newest.capability < oldest:
        return (
            f"This machine's {newest.name} has compute capability {newest.capability:g}; the default build of torch, "
            f"for CUDA 13, begins at {oldest:g} and would not compute on it. {HOW.format(platform='CUDA 12.6')}"
        )
    if newest.driver is not None and newest.driver < OLDEST_DRIVER:
        return (
            f"The driver of this machine's {newest.name} is version {newest.driver}; the default build of torch, for "
            f"CUDA 13, needs {OLDEST_DRIVER} or newer. Update the driver, or take an older CUDA: "
            f"{HOW.format(platform='CUDA 12.6')}"
        )
    return ""


def _article(card: Card) -> str:
    return f"{'an' if card.vendor[0] in 'AIN' else 'a'} {card.vendor} card"


def _intel_mac() -> str:
    return (
        "torch 2.13.0 does not exist for Macs with an Intel processor. On a Mac with Apple silicon this sentence means "
        "that a Python for Intel was started: install the one for Apple silicon. Otherwise name a Python that has the "
        "packages with the option python (--python)."
    )
