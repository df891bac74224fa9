"""Child processes that see nothing of the host's Python, are followed line by line and can be stopped."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence

from lib_trainer.core.errors import EngineError

SECONDS_TO_END = 10.0
TICK_SECONDS = 0.25

# What a host sets for its own Python and what would lead another Python to the host's packages.
HOST_ONLY = {
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONSTARTUP",
    "PYTHONUSERBASE",
    "PYTHONEXECUTABLE",
    "PYTHONPLATLIBDIR",
    "PYTHONINSPECT",
    "__PYVENV_LAUNCHER__",
    "VIRTUAL_ENV",
    "VIRTUAL_ENV_PROMPT",
    "LD_PRELOAD",
    "DYLD_INSERT_LIBRARIES",
}
# Of pip's settings only those stay that say where from and how to get there, not where to and what to leave out.
PIP_KEPT = {
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_NO_INDEX",
    "PIP_FIND_LINKS",
    "PIP_CONFIG_FILE",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "PIP_TRUSTED_HOST",
    "PIP_PROXY",
    "PIP_KEYRING_PROVIDER",
    "PIP_CACHE_DIR",
    "PIP_NO_CACHE_DIR",
    "PIP_TIMEOUT",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_RETRIES",
}


class SetupStoppedError(EngineError):
    """The user asked for the set-up to end before it was done."""


def clean_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables for a child that runs another Python; `base` is ours unless given."""
    source = os.environ if base is None else base
    return {name: value for name, value in source.items() if not _is_the_hosts(name.upper())}


def _is_the_hosts(name: str) -> bool:
    return name in HOST_ONLY or (name.startswith("PIP_") and name not in PIP_KEPT)


def follow(
    command: Sequence[str],
    environment: Mapping[str, str],
    on_line: Callable[[str | None], None],
    should_stop: Callable[[], bool],
    keep_open: tuple[int, ...] = (),
) -> int:
    """Run a command, hand each line of its output (errors included) to `on_line`, and return its exit status.

    `on_line` also gets None several times a second while nothing is said. The child holds the file descriptors
    `keep_open` as long as it lives (not on Windows, which has no such thing), so that a lock outlives a killed parent.

    Raises:
        SetupStoppedError: `should_stop` said so; the child has ended then.
    """
    process = _start(command, environment, keep_open)
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    try:
        while True:
            if should_stop():
                raise SetupStoppedError("The set-up was stopped; start it again when you want to go on.")
            try:
                line = lines.get(timeout=TICK_SECONDS)
            except queue.Empty:
                on_line(None)
                continue
            if line is None:
                return process.wait()
            on_line(line.rstrip())
    finally:
        _end(process)


def _start(
    command: Sequence[str], environment: Mapping[str, str], keep_open: tuple[int, ...]
) -> subprocess.Popen[str]:
    windows = os.name == "nt"
    return subprocess.Popen(
        command,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        pass_fds=() if windows else keep_open,
        start_new_session=not windows,  # Ctrl+C reaches us alone, and we end the child once
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is not None:
        return
    if os.name == "nt":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)  # pip removes its temporary files on this one
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
