"""Start and resume runs in the engine's own Python; the process outlives the host that started it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import EngineError
from lib_trainer.core.file_lock import file_lock, is_locked
from lib_trainer.core.places import DATA_VARIABLE, EXTENSION_ROOT, data_folder
from lib_trainer.core.run_directory import REQUESTS, RunDirectory
from lib_trainer.jobs.child_processes import clean_environment

POLL_SECONDS = 0.02
LOCK_SECONDS = 0.2  # longer than somebody's question whether the run is locked

# How the engine's process is best set up, unless the user's environment says otherwise.
PROCESS_SETTINGS = {
    # glibc gives large blocks back to the system at once and gets them anew, zeroed, at each use: a tenth of a step.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**34),
    # Large pages, where the system lends them, save 8 % of a step; several arenas would each keep gaps of their own.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    "MALLOC_ARENA_MAX": "1",
    # Threads that wait must not spin: beside a busy WebUI or browser a step took four times as long.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def new_run(step: str, config: dict[str, Any], folder: Path | None = None) -> RunDirectory:
    """Make the folder of a new run; without one given, `runs/STEP-DATE-TIME` in the trainer's data.

    Raises:
        OutputError: the folder holds a run already or can't be made.
    """
    run = RunDirectory(folder or _free_folder(f"{step}-{time.strftime('%Y%m%d-%H%M%S')}"))
    run.create(step, config)
    return run


def _free_folder(name: str) -> Path:
    folder = data_folder() / "runs" / name
    count = 1
    while folder.exists():
        count += 1
        folder = folder.with_name(f"{name}-{count}")
    return folder


def start(engine_python: Path, run: RunDirectory) -> subprocess.Popen[bytes]:
    """Start the engine on a run: a new one from its beginning, one that was interrupted from its last state.

    When this returns, the engine holds the run's lock, or has ended already.

    Raises:
        EngineError: an engine works on it already, or the engine's Python can't be started.
    """
    with file_lock(run.lock_file, LOCK_SECONDS) as free:
        if not free:
            raise EngineError(f"{run.path} is being worked on already; follow it, or stop it first.")
        for request in REQUESTS:
            run.take_request(request)  # what an earlier engine left; what comes from now on is for the new one
    command = [str(engine_python), "-m", "lib_trainer.worker", str(run.path.absolute())]
    try:
        with run.log_file.open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=EXTENSION_ROOT, env=engine_environment(), **_detached(),
            )  # fmt: skip
    except OSError as error:
        cure = "run `python3 -m lib_trainer setup` again"
        raise EngineError(f"The engine's Python {engine_python} can't be started ({error}); {cure}.") from error
    _wait_until_held(process, run)
    return process


def engine_environment() -> dict[str, str]:
    """The environment variables of the engine's process."""
    return {
        **PROCESS_SETTINGS,
        **clean_environment(),
        "PYTHONPATH": str(EXTENSION_ROOT),
        "PYTHONUTF8": "1",
        DATA_VARIABLE: str(data_folder()),
    }


def _wait_until_held(process: subprocess.Popen[bytes], run: RunDirectory) -> None:
    try:
        while process.poll() is None and not is_locked(run.lock_file):
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        run.request("stop")
        raise


def _detached() -> dict[str, Any]:
    """Ctrl-C in the host's terminal must not reach the engine: the host asks it to stop instead."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
