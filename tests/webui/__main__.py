"""`WEBUI_DIR=CHECKOUT python3 tests/webui`: the whole way in a real WebUI, driven in Chromium.

Starts that WebUI with the extension linked in, and goes through training the demo, comparing in place, txt2img with the
LoRA, an X/Y/Z plot over the epochs, Reload UI during a training, killing the engine and the WebUI, and resuming. It
checks pictures and files, and that the WebUI's environment is the same afterwards.

With `methods` as first argument it compares what the WebUI and the engine predict with a file of each method instead;
see `methods.py`.

WEBUI_PYTHON is the WebUI's own Python (default: its `venv`). WEBUI_CHECKPOINT is a full-size checkpoint, for Forge,
which loads no miniature models. The WebUI must have been started once, so that it has all that it downloads.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).absolute().parents[2]
sys.path[0] = str(ROOT)

from lib_trainer.core.places import data_folder  # noqa: E402
from lib_trainer.jobs.installer import venv_python  # noqa: E402
from lib_trainer.jobs.stamp import engine_state  # noqa: E402


def main() -> int:
    """Run the way in the tests' environment, which `python3 tests` makes, or the methods in the engine's."""
    if "WEBUI_DIR" not in os.environ:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    python, engine = venv_python(data_folder() / "tests"), engine_state(data_folder()).python
    if not python.exists() or engine is None:
        sys.stderr.write("The tests' environment is missing: run `python3 tests --collect-only` once.\n")
        return 2
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TRAINER_ENGINE": str(engine)}
    command = [str(python), "-m", "tests.webui.way", *sys.argv[1:]]
    if sys.argv[1:2] == ["methods"]:
        command = [str(engine), "-m", "tests.webui.methods", *sys.argv[2:]]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
