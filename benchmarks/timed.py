"""Run another program in this process and note the CPU time and the peak memory at each of its optimizer's steps.

    python benchmarks/timed.py FIGURES.json -m MODULE ARGUMENTS...
    python benchmarks/timed.py FIGURES.json SCRIPT ARGUMENTS...

The variable TIMED_CONSTANTS may hold JSON, {"module": {"NAME": value}}: constants that are set before the program runs.
Nothing of the trainer is imported: the other program may run in an environment of its own.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import resource
import runpy
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    figures, program, *arguments = sys.argv[1:]
    watch(Path(figures))
    if program == "-m":
        program, *arguments = arguments
        sys.path[0] = str(Path.cwd())
        sys.argv = [program, *arguments]
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    script = Path(program).resolve()
    os.chdir(script.parent)
    sys.path[0] = str(script.parent)
    sys.argv = [str(script), *arguments]
    for module, constants in json.loads(os.environ.get("TIMED_CONSTANTS", "{}")).items():
        for name, value in constants.items():
            setattr(importlib.import_module(module), name, value)
    runpy.run_path(str(script), run_name="__main__")


def watch(figures: Path) -> None:
    """Write the figures when the process ends: CPU seconds since its start at each step, peak memory in bytes."""
    import torch
    from torch.optim.optimizer import register_optimizer_step_post_hook

    seconds: list[float] = []

    def note(*_: Any) -> None:
        seconds.append(time.process_time())

    def write() -> None:
        unit = 1 if sys.platform == "darwin" else 1024
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
        told = {"cpu_seconds": seconds, "peak_bytes": peak, "threads": torch.get_num_threads()}
        figures.write_text(json.dumps(told), encoding="utf-8")

    register_optimizer_step_post_hook(note)
    atexit.register(write)


if __name__ == "__main__":
    main()
