"""What `pip install` prints, read as progress while it works and as a sentence with a cure when it fails."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable

from lib_trainer.core.events import Progress

LAST_LINES = 8
MEGABYTE = 1_000_000
LARGE_MEGABYTES = 10  # files below this come and go too fast to be shown one by one


class PipOutput:
    """The state of one `pip install`, fed line by line.

    Known lines since pip 22: `Ignoring NAME: markers`, `Collecting NAME`, `Processing PATH`, `Requirement already
    satisfied: NAME`, `Downloading FILE (SIZE)`, `Using cached FILE`, `Installing collected packages: A, B`; and with
    `--progress-bar raw`, from pip 24.1 on, `Progress BYTES of BYTES`.
    """

    def __init__(self, requirements: int) -> None:
        self.requirements = requirements
        self.found = 0
        self.package = ""
        self.installing: list[str] = []
        self.lines: deque[str] = deque(maxlen=200)
        self._rules: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Progress | None]], ...] = (
            (re.compile(r"\s*Progress (\d+) of (\d+)"), self._bytes),
            (re.compile(r"Ignoring \S+: markers"), self._ignored),
            (re.compile(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+)"), self._found),
            (re.compile(r"Processing .*?([^/\\]+)\.whl"), self._found_file),
            (re.compile(r"\s*(?:Downloading|Using cached) .*?([^/\s]+)\.whl( .*|)$"), self._download),
            (re.compile(r"Installing collected packages: (.+)"), self._install),
        )

    def read(self, line: str) -> Progress | None:
        """What the line says of the progress, if anything."""
        for pattern, act in self._rules:
            match = pattern.match(line)
            if match is not None:
                if act != self._bytes:
                    self.lines.append(line)
                return act(match)
        if line.strip():
            self.lines.append(line)
        return None

    def installed(self, count: int) -> Progress:
        """The progress of unpacking, of which pip says nothing itself."""
        return Progress("Installing packages", min(count, len(self.installing)), len(self.installing), "packages")

    def _bytes(self, match: re.Match[str]) -> Progress | None:
        done, total = (int(count) // MEGABYTE for count in match.groups())
        return Progress(f"Downloading {self.package}", done, total, "MB") if total >= LARGE_MEGABYTES else None

    def _ignored(self, _: re.Match[str]) -> None:
        self.requirements -= 1

    def _found(self, match: re.Match[str]) -> Progress:
        self.package = match[1]
        self.found += 1
        return Progress("Looking up packages", self.found, max(self.found, self.requirements), "packages")

    def _found_file(self, match: re.Match[str]) -> Progress:
        progress = self._found(match)
        self.package = _file_in_words(match[1])
        return progress

    def _download(self, match: re.Match[str]) -> Progress | None:
        self.package = _file_in_words(match[1])
        size = re.search(r"\((\d+)\.?\d* MB\)", match[2])
        if size is None or int(size[1]) < LARGE_MEGABYTES:
            return None
        return Progress(f"Downloading {self.package}", 0, int(size[1]), "MB")

    def _install(self, match: re.Match[str]) -> Progress:
        self.installing = match[1].split(", ")
        return self.installed(0)


def _file_in_words(stem: str) -> str:
    """`torch-2.13.0-cp310-cp310-win_amd64` -> `torch 2.13.0`."""
    return " ".join(stem.split("-")[:2])


# In the order of certainty: a full disk may look like a broken download, a missing network like a missing version.
CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|Errno 28|WinError 112|Disk quota exceeded",
        "The disk is full. Make room (torch needs about 8 GB with CUDA, 2 GB without) and set up again.",
    ),
    (
        r"Windows Long Path",
        "A path is too long for Windows. Switch on long paths in Windows, or move the WebUI to a shorter folder.",
    ),
    (
        r"Errno 13|Permission denied|WinError 5\b|WinError 32\b|Errno 30",
        "A file may not be written or is in use. Close what still uses the engine (a training, a virus scanner's "
        "check) and see that the folder belongs to you, then set up again.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|TLSV1",
        "The server's certificate isn't trusted here, as behind a company's proxy. Name the proxy's certificate in "
        "the environment variable PIP_CERT, then set up again.",
    ),
    (
        r"NewConnectionError|name resolution|getaddrinfo failed|ProxyError|ConnectTimeout|ReadTimeout|ConnectionReset"
        r"|Connection (?:refused|reset|aborted)|Network is unreachable|IncompleteRead|IncompleteDownload"
        r"|ProtocolError|RemoteDisconnected",
        "There is no network, or the package index does not answer. Look at the connection and the proxy settings, or "
        "give another index with package_index (--package-index), or a folder of wheels with wheels and offline.",
    ),
    (
        r"HTTP error [45]\d\d|\b4\d\d Client Error|\b5\d\d Server Error",
        "The package index refuses the request. Look at its address and its password, then set up again.",
    ),
    (
        r"THESE PACKAGES DO NOT MATCH THE HASHES",
        "A downloaded file was damaged on the way. Set up again.",
    ),
    (
        r"No matching distribution found|Could not find a version|ResolutionImpossible",
        "Where it was looked for there is no such version for this Python and system. torch needs 64-bit Windows, "
        "Linux with glibc 2.28 or newer, or macOS 14 or newer on Apple silicon. Look at the addresses and folders "
        "given as torch_index, package_index and wheels.",
    ),
)


def cause(lines: Iterable[str], status: int) -> str:
    """Why pip failed and what to try, from its lines and its exit status (negative: ended by that signal)."""
    text = "\n".join(lines)
    for pattern, sentence in CAUSES:
        if re.search(pattern, text):
            return sentence
    if status in (-9, 137):
        return "The system ended pip, most likely for want of memory. Close other programs and set up again."
    return "The last lines say why. Mend that and set up again."


def failed_package(output: PipOutput) -> str:
    """The package at which pip gave up."""
    for line in reversed(output.lines):
        match = re.search(r"No matching distribution found for (\S+)|satisfies the requirement (\S+)", line)
        if match is not None:
            return match[1] or match[2]
    return output.package


def last_lines(output: PipOutput) -> str:
    """The end of what pip said, indented; retries say the same thing many times and are left out."""
    telling = [line for line in output.lines if "Retrying (Retry(" not in line] or list(output.lines)
    return "\n".join(f"  {line.strip()}" for line in telling[-LAST_LINES:])
