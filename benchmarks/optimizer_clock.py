"""Run a Python program and note its CPU time and memory at each step of its optimizer.

    python optimizer_clock.py OUT.json -m PACKAGE.MODULE [ARGUMENTS ...]
    python optimizer_clock.py OUT.json SCRIPT.py [ARGUMENTS ...]

A script runs in its own folder. The variable PRELUDE names a Python file that is run first.
"""

from __future__ import annotations

import atexit
import json
import os
import resource
import runpy
import sys
import time
from pathlib import Path
from typing import Any


def main(out: Path, arguments: list[str]) -> None:
    """Run the program; what it measured is written when it ends."""
    steps: list[float] = []
    _watch_optimizers(steps)

    def write() -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        out.write_text(json.dumps({"cpu_seconds": steps, "peak_bytes": peak}), encoding="utf-8")

    atexit.register(write)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
        return
    script = Path(arguments[0]).resolve()
    os.chdir(script.parent)
    sys.path[0] = str(script.parent)
    sys.argv = [str(script), *arguments[1:]]
    prelude = os.environ.get("PRELUDE")
    if prelude:
        runpy.run_path(prelude)
    runpy.run_path(str(script), run_name="__main__")


def _watch_optimizers(steps: list[float]) -> None:
    from torch.optim.optimizer import register_optimizer_step_post_hook

    def note(*_: Any) -> None:
        steps.append(time.process_time())

    register_optimizer_step_post_hook(note)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2:])
