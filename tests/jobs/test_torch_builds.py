"""Which machines torch's default build serves."""

from __future__ import annotations

import pytest

from lib_trainer.jobs.machine import Card, Machine
from lib_trainer.jobs.torch_builds import objection, remark

RTX = Card("NVIDIA", "NVIDIA GeForce RTX 4090", 8.9, 591)
GTX = Card("NVIDIA", "NVIDIA GeForce GTX 1080", 6.1, 580)
RADEON = Card("AMD", "AMD Radeon RX 7900 XTX")
ARC = Card("Intel", "Intel(R) Arc(TM) A770 Graphics")


@pytest.mark.parametrize(
    "machine",
    [
        Machine("Linux", "x86_64", (RTX,)),
        Machine("Linux", "x86_64", (GTX, RTX)),
        Machine("Linux", "x86_64", (RTX, RADEON)),
        Machine("Linux", "x86_64", (Card("NVIDIA", "unknown"),)),
        Machine("Linux", "x86_64"),
        Machine("Windows", "AMD64"),
        Machine("Darwin", "arm64"),
    ],
)
def test_the_default_build_is_installed_unasked_where_it_uses_the_card_or_there_is_none(machine):
    assert objection(machine) == ""


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        (Machine("Windows", "AMD64", (RTX,)), ["an NVIDIA card (NVIDIA GeForce RTX 4090)", "CUDA"]),
        (Machine("Windows", "AMD64", (RADEON,)), ["an AMD card", "ROCm"]),
        (Machine("Linux", "x86_64", (RADEON,)), ["an AMD card", "ROCm"]),
        (Machine("Linux", "x86_64", (ARC,)), ["an Intel card", "XPU"]),
        (Machine("Linux", "x86_64", (GTX,)), ["compute capability 6.1", "begins at 7.5", "CUDA 12.6"]),
        (Machine("Linux", "aarch64", (Card("NVIDIA", "Xavier", 7.5, 590),)), ["begins at 8"]),
        (Machine("Linux", "x86_64", (Card("NVIDIA", "RTX", 8.6, 535),)), ["version 535", "needs 580", "Update"]),
    ],
)
def test_elsewhere_the_sentence_names_the_card_and_both_ways_out(machine, words):
    sentence = objection(machine)
    for word in [*words, "--torch-index", "--torch-build default"]:
        assert word in sentence


def test_an_intel_mac_is_told_that_there_is_no_torch():
    assert "does not exist for Macs with an Intel processor" in objection(Machine("Darwin", "x86_64"))


def test_a_linux_machine_without_a_card_hears_of_the_smaller_build():
    assert "CPU build" in remark(Machine("Linux", "x86_64"))


def test_an_nvidia_card_without_a_driver_is_remarked():
    assert "Install the driver" in remark(Machine("Linux", "x86_64", (Card("NVIDIA", "a card"),)))


def test_nothing_is_remarked_where_all_is_well():
    assert remark(Machine("Linux", "x86_64", (RTX,))) == remark(Machine("Darwin", "arm64")) == ""
