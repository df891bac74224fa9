"""Graphics cards seen through made-up answers and files."""

from __future__ import annotations

import sys

import pytest

from lib_trainer.jobs.machine import Card, ask, this_machine


def nobody(_):
    return ""


def linux(root, answer=nobody):
    return this_machine("Linux", "x86_64", root, answer).cards


def windows(names, tmp_path):
    return this_machine("Windows", "AMD64", tmp_path, lambda command: names if command[0] == "powershell" else "").cards


def pci(root, number, vendor, address="0000:03:00.0", **files):
    """One graphics device as Linux shows it."""
    device = root / "sys/devices" / address
    device.mkdir(parents=True)
    for name, text in {"vendor": vendor, **files}.items():
        (device / name).write_text(f"{text}\n")
    card = root / "sys/class/drm" / f"card{number}"
    card.mkdir(parents=True)
    (card / "device").symlink_to(device)
    connector = root / "sys/class/drm" / f"card{number}-HDMI-A-1"
    connector.mkdir()
    (connector / "device").symlink_to(card)


def test_nvidia_smi_tells_name_driver_and_capability(tmp_path):
    cards = linux(tmp_path, lambda command: "NVIDIA H200, 580.65.06, 9.0\n" if command[0] == "nvidia-smi" else "")
    assert cards == (Card("NVIDIA", "NVIDIA H200", 9.0, 580),)


def test_an_old_nvidia_smi_that_does_not_know_the_capability_is_asked_again(tmp_path):
    def old(command):
        return "" if "compute_cap" in command[1] else "GeForce GTX 970, 430.50\n"

    assert linux(tmp_path, old) == (Card("NVIDIA", "GeForce GTX 970", None, 430),)


def test_wsl_keeps_nvidia_smi_off_the_path(tmp_path):
    def wsl(command):
        return "NVIDIA RTX, 591.1, 8.9\n" if command[0].endswith("wsl/lib/nvidia-smi") else ""

    assert [card.name for card in linux(tmp_path, wsl)] == ["NVIDIA RTX"]


@pytest.mark.skipif(sys.platform == "win32", reason="the made-up /sys has links")
@pytest.mark.parametrize(
    ("device", "vendors"),
    [
        ({"vendor": "0x10de"}, ["NVIDIA"]),
        ({"vendor": "0x1002", "mem_info_vram_total": 17_163_091_968}, ["AMD"]),
        ({"vendor": "0x1002", "mem_info_vram_total": 536_870_912}, []),
        ({"vendor": "0x1002"}, []),
        ({"vendor": "0x8086", "address": "0000:03:00.0"}, ["Intel"]),
        ({"vendor": "0x8086", "address": "0000:00:02.0"}, []),
        ({"vendor": "0x1234"}, []),
    ],
    ids=["nvidia", "radeon", "radeon in a processor", "radeon unknown", "arc", "intel in a processor", "virtual"],
)
def test_linux_names_a_discrete_card_by_its_pci_device(tmp_path, device, vendors):
    pci(tmp_path, 0, **device)
    assert [card.vendor for card in linux(tmp_path)] == vendors


@pytest.mark.skipif(sys.platform == "win32", reason="the made-up /sys has links")
def test_a_radeon_of_unknown_memory_counts_where_the_compute_driver_runs(tmp_path):
    pci(tmp_path, 0, "0x1002")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kfd").touch()
    assert [card.vendor for card in linux(tmp_path)] == ["AMD"]


@pytest.mark.skipif(sys.platform == "win32", reason="the made-up /sys has links")
def test_the_card_that_nvidia_smi_told_of_is_not_counted_twice(tmp_path):
    pci(tmp_path, 0, "0x10de")
    cards = linux(tmp_path, lambda _: "NVIDIA H200, 580.65.06, 9.0\n")
    assert cards == (Card("NVIDIA", "NVIDIA H200", 9.0, 580),)


@pytest.mark.parametrize(
    ("name", "vendors"),
    [
        ("NVIDIA GeForce RTX 4090", ["NVIDIA"]),
        ("AMD Radeon RX 7900 XTX", ["AMD"]),
        ("AMD Radeon(TM) Graphics", []),
        ("AMD Radeon 780M Graphics", []),
        ("Intel(R) UHD Graphics 770", []),
        ("Intel(R) Iris(R) Xe Graphics", []),
        ("Intel(R) Arc(TM) Graphics", []),
        ("Intel(R) Arc(TM) 140V GPU (16GB)", []),
        ("Intel(R) Arc(TM) A770 Graphics", ["Intel"]),
        ("Intel(R) Arc(TM) A370M Graphics", ["Intel"]),
        ("Intel(R) Arc(TM) B580 Graphics", ["Intel"]),
        ("Intel(R) Arc(TM) Pro B60 Graphics", ["Intel"]),
        ("Microsoft Basic Display Adapter", []),
    ],
)
def test_windows_names_a_discrete_card_by_its_driver(tmp_path, name, vendors):
    assert [card.vendor for card in windows(f"{name}\n", tmp_path)] == vendors


def test_a_mac_is_not_asked_for_cards(tmp_path):
    assert this_machine("Darwin", "arm64", tmp_path, lambda _: "x, 1, 1.0").cards == ()


def test_a_program_that_is_missing_or_fails_answers_nothing():
    assert ask(("no-such-program-here",)) == ""
    assert ask((sys.executable, "-c", "print('x'); raise SystemExit(3)")) == ""
    assert ask((sys.executable, "-c", "print('x')")).strip() == "x"


def test_looking_at_this_machine_works_whatever_it_is():
    assert this_machine().system
