"""The engine process: run the one job described in a run directory, and tell how it ended.

Exit codes: 0 finished or stopped on request, 2 an error that the user can mend, 1 a bug (its traceback is in the log).
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from lib_trainer.core.configs import load
from lib_trainer.core.errors import EngineError, TrainerError
from lib_trainer.core.events import Event, Failed, Finished, Started, Stopped
from lib_trainer.core.file_lock import file_lock
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.steps import step_named

LOCK_SECONDS = 1.0  # longer than somebody's question whether the run is locked


def main(path: str) -> int:
    """Work on the run in this folder; returns the exit code."""
    run = RunDirectory(Path(path))
    with file_lock(run.lock_file, LOCK_SECONDS) as ours:
        if not ours:  # told in the log: the events belong to the other engine
            sys.stderr.write(f"Another engine works on {run.path} already; wait for it, or stop it.\n")
            return 2
        run.reserve()
        try:
            run.append(_work(run))
        except TrainerError as error:
            run.append(Failed(str(error)))
            return 2
        except Exception as error:  # the one place where a bug is reported, and raised on
            run.append(Failed(f"{type(error).__name__}: {error}", traceback.format_exc()))
            raise
        finally:
            run.release()
    return 0


def _work(run: RunDirectory) -> Event:
    name, config = run.job()
    step = step_named(name)
    run.append(Started(name, os.getpid()))
    options = load(step.options, config)
    try:
        function = step.resolve()
    except ImportError as error:
        cure = "run `python3 -m lib_trainer setup`"
        raise EngineError(f"The engine's Python lacks a package ({error}); {cure}.") from error
    result = function(options, run)
    return Stopped() if run.take_request("stop") else Finished(result)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
