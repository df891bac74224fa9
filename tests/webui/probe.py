"""Runs in a WebUI's own Python: what its model predicts with each of some files, by the WebUI's own code.

    PYTHON probe.py REQUEST.json        (in the WebUI's folder)

The request: `webui` ("a1111" or "forge"), its `flags`, `model`, `noise` [1, 4, h, w] as nested lists, `timestep`, and
`cases`, each with `kind` ("lora", "embedding", "hypernetwork", "checkpoint"), `file` (or null) and `prompt`. The answer
lies beside it: `predictions.npz`, one array for each case by its number, and `said.json`, what the WebUI says of each.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import logging
import os
import sys
from pathlib import Path

TELLING = (
    "didn't match", "couldn't find", "Couldn't find", "layer", "not found", "Skip bundle", "Failed", "Error",
    "unmatched", "ismatch",
)  # fmt: skip


class Listener(logging.Handler):
    """Keeps what is said of files."""

    def __init__(self):
        super().__init__(logging.DEBUG)
        self.said = []

    def emit(self, record):
        self.hear(record.getMessage())

    def hear(self, text):
        self.said += [line[:2000] for line in text.splitlines() if any(word in line for word in TELLING)]


def main():
    place = Path(sys.argv[1]).absolute()
    request = json.loads(place.read_text(encoding="utf-8"))
    webui = importlib.import_module(f"probe_{request['webui']}")
    sys.path.insert(0, str(Path.cwd()))
    sys.argv = ["launch.py", *request["flags"]]
    webui.start()
    listener = Listener()
    logging.getLogger().addHandler(listener)
    logging.getLogger().setLevel(logging.DEBUG)
    import numpy

    webui.load(request["model"])
    predictions, said = {}, []
    for number, case in enumerate(request["cases"]):
        listener.said.clear()
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                if case["kind"] == "checkpoint":
                    webui.load(case["file"])
                webui.choose(case)
                predictions[str(number)] = webui.predict(case["prompt"], request)
        except Exception as error:  # noqa: BLE001 - the next file is asked about all the same
            listener.said.append(f"{type(error).__name__}: {error}")
        listener.hear(printed.getvalue())
        said.append(list(listener.said))
    numpy.savez(place.with_name("predictions.npz"), **predictions)
    place.with_name("said.json").write_text(json.dumps(said), encoding="utf-8")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # the WebUI's threads would keep the process
