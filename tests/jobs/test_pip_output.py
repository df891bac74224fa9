"""pip's lines, as versions 23.0 and 26.3 print them."""

from __future__ import annotations

import pytest

from lib_trainer.jobs.pip_output import PipOutput, cause, failed_package, last_lines


def read(lines, requirements=3):
    """(output, [(stage, done, total, unit)])"""
    output = PipOutput(requirements)
    found = [output.read(line) for line in lines]
    return output, [(seen.stage, seen.done, seen.total, seen.unit) for seen in found if seen is not None]


def test_packages_are_counted_without_those_for_other_systems():
    lines = [
        "Ignoring colorama: markers \"sys_platform == 'win32'\" don't match your environment",
        "Processing /a/b-c/tqdm-4.70.1-py3-none-any.whl",
        "Collecting numpy==2.2.6 (from -r requirements.txt (line 3))",
    ]
    assert read(lines)[1] == [("Looking up packages", 1, 2, "packages"), ("Looking up packages", 2, 2, "packages")]


def test_a_windows_path_is_read_too():
    output, seen = read([r"Processing c:\some where\torch-2.13.0+cpu-cp311-cp311-win_amd64.whl"])
    assert (output.package, len(seen)) == ("torch 2.13.0+cpu", 1)


def test_the_count_grows_where_pip_finds_more_than_was_asked_for():
    lines = ["Collecting torch==2.13.0", "Requirement already satisfied: sympy>=1.13 in x", "Collecting triton==3.7.1"]
    assert read(lines, 1)[1][-1] == ("Looking up packages", 3, 3, "packages")


def test_a_large_download_is_followed_in_megabytes():
    lines = [
        "  Downloading torch-2.13.0-cp310-cp310-manylinux_2_28_x86_64.whl.metadata (30 kB)",
        "Downloading torch-2.13.0-cp310-cp310-manylinux_2_28_x86_64.whl (526.6 MB)",
        "Progress 0 of 526555154",
        "Progress 100000000 of 526555154",
    ]
    stage = "Downloading torch 2.13.0"
    assert read(lines)[1] == [(stage, 0, 526, "MB"), (stage, 0, 526, "MB"), (stage, 100, 526, "MB")]


def test_small_downloads_are_not_shown_one_by_one():
    lines = ["  Downloading tqdm-4.70.1-py3-none-any.whl (78 kB)", "Progress 0 of 78000", "Progress 78000 of 78000"]
    output, seen = read(lines)
    assert (output.package, seen) == ("tqdm 4.70.1", [])


def test_installing_is_counted_by_what_was_unpacked():
    output, seen = read(["Installing collected packages: tqdm, numpy"])
    assert seen == [("Installing packages", 0, 2, "packages")]
    assert (output.installed(1).done, output.installed(5).done) == (1, 2)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: [WinError 112] There is not enough space on the disk", "disk is full"),
        ("ERROR: Could not install packages due to an OSError: [Errno 13] Permission denied: '/x'", "belongs to you"),
        ("ERROR: [WinError 5] Zugriff verweigert: 'C:\\\\x'", "belongs to you"),
        ("HINT: This error might have occurred since ... Windows Long Path", "long paths"),
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] ...", "PIP_CERT"),
        ("NewConnectionError('Failed to establish a new connection: [Errno 111] ...')", "no network"),
        ("NameResolutionError(\"Failed to resolve 'x' (Temporary failure in name resolution)\")", "no network"),
        ("ProxyError('Cannot connect to proxy.', ...)", "proxy settings"),
        ("ERROR: HTTP error 403 while getting https://x/y", "refuses the request"),
        ("ERROR: 401 Client Error: Unauthorized for url: https://x/y", "refuses the request"),
        ("ERROR: No matching distribution found for torch==2.13.0", "no such version for this Python"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "damaged on the way"),
        ("something else", "The last lines say why"),
    ],
)
def test_each_failure_has_a_cause_with_a_cure(line, words):
    assert words in cause([line], 1)


def test_a_missing_network_is_not_taken_for_a_missing_version():
    lines = ["WARNING: Retrying (Retry(total=0)) NewConnectionError", "ERROR: No matching distribution found for x"]
    assert "no network" in cause(lines, 1)


def test_a_pip_that_the_system_ended_lacked_memory():
    assert "memory" in cause([], -9)


def test_the_failed_package_is_the_one_pip_names_or_else_the_last_it_worked_on():
    assert failed_package(read(["Collecting a==1", "ERROR: No matching distribution found for b==2"])[0]) == "b==2"
    assert failed_package(read(["Collecting a==1", "ERROR: boom"])[0]) == "a"


def test_the_last_lines_leave_out_retries():
    output = read(["Collecting a==1", "WARNING: Retrying (Retry(total=4))", "ERROR: boom"])[0]
    assert last_lines(output) == "  Collecting a==1\n  ERROR: boom"
