"""A prompt log of many rows with known contents: read, filtered, and its pictures downloaded from a server that lies.

    python benchmarks/prompt_log.py FOLDER --rows 1000000 --pictures 3000 --kills 5

Checks every count against the truth, the pictures against what the server would give, and that a run that is killed
again and again ends with the same files; tells time and peak memory of the engine's process. FOLDER is made anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.lying_server import NEVER, LyingServer, manner  # noqa: E402
from benchmarks.prompt_log_maker import FILTERS, Truth, make_log  # noqa: E402
from lib_trainer.core.events import Failed, Finished, Notice, Table  # noqa: E402
from lib_trainer.core.places import DATA_VARIABLE  # noqa: E402
from lib_trainer.core.run_directory import RunDirectory  # noqa: E402
from lib_trainer.images.promptlog.addresses import VARIABLE  # noqa: E402

# Prints the peak memory that the system counted for this very process, as its last line.
WORKER = (
    "import resource, sys; from lib_trainer import worker; code = worker.main(sys.argv[1]);"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss); sys.exit(code)"
)


def config(paths: list[Path], **more: Any) -> dict[str, Any]:
    """The step's configuration."""
    return {"files": [str(path) for path in paths], "filters": FILTERS, **more}


def start(run: Path, settings: dict[str, Any], host: str) -> subprocess.Popen[str]:
    """The engine's process at work on a run; one that is there already goes on."""
    directory = RunDirectory(run)
    if not directory.job_file.exists():
        directory.create("promptlog", settings)
    environment = {**os.environ, DATA_VARIABLE: str(run.parent / "data"), VARIABLE: host, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WORKER, str(run)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str], run: Path) -> tuple[dict[str, Any], float]:
    """What the run made, and its peak memory in MB."""
    output, _ = process.communicate()
    events = RunDirectory(run).events_after(0)[0]
    end = events[-1]
    if not isinstance(end, Finished):
        raise SystemExit(f"{run} failed: {end.message if isinstance(end, Failed) else end}")
    return end.result, int(output.split()[-1]) / 1000


def contents(folder: Path) -> dict[str, str]:
    """The digests of all files that were made for the user."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def compare(what: str, found: Any, wanted: Any) -> None:
    if found != wanted:
        raise SystemExit(f"{what}: {found} is not {wanted}")
    print(f"{what}: as it must be")


def count(folder: Path, paths: list[Path], truth: Truth) -> None:
    """Read and filter twice: from the files, and from the table that was kept."""
    for name in ("first", "again"):
        run = folder / f"count-{name}"
        began = time.perf_counter()
        result, memory = finish(start(run, config(paths), ""), run)
        print(f"{name}: {time.perf_counter() - began:.1f} s, peak memory {memory:.0f} MB")
        told = json.loads((run / "promptlog.json").read_text(encoding="utf-8"))
        for each in told["counts"]:
            print(f"  {each['left']:>9,}  {each['title']}")
        compare("counts at each filter", [each["left"] for each in told["counts"]], truth.counts)
        compare("rows that can't be read", result["rejected"], truth.rejects.total())
        compare("pictures that are linked", result["pictures"], len(truth.links))


def download(folder: Path, paths: list[Path], truth: Truth, server: LyingServer, arguments: argparse.Namespace) -> None:
    """Download without and with kills; both must end with the same files."""
    wanted = truth.links[: arguments.pictures]
    host = server.url.removeprefix("http://")
    good = [link for link in wanted if manner(link.removeprefix(server.url)) not in NEVER]
    settings = {"patience": 1.0, "attempts": 6, "most_mb": 1.0, "at_once": 16, "per_host": 16}
    results = []
    for name, kills in (("whole", 0), ("killed", arguments.kills)):
        server.asked.clear()
        run, output = folder / f"download-{name}", folder / f"pictures-{name}"
        more = {"pictures": "download", "most": len(wanted), "output": str(output), "download": settings}
        began = time.perf_counter()
        for _ in range(kills):
            process = start(run, config(paths, **more), host)
            _kill_amid(process, output)
        result, memory = finish(start(run, config(paths, **more), host), run)
        print(f"{name}: {time.perf_counter() - began:.1f} s, peak memory {memory:.0f} MB, {result}")
        files = contents(output)
        pictures = [file for file in files if not file.endswith((".txt", ".csv"))]
        compare(f"{name}: pictures that can be had", len(pictures), len(good))
        compare(f"{name}: captions", sum(file.endswith(".txt") for file in files), len(good))
        compare(f"{name}: left out", result["left_out"], len(wanted) - len(good))
        results.append(files)
    compare("files with and without kills", results[1], results[0])
    _tell(RunDirectory(folder / "download-whole"))


def _kill_amid(process: subprocess.Popen[str], output: Path) -> None:
    """Kill the engine once some more pictures have arrived."""
    before = _pictures(output)
    more = random.Random(before).randrange(20, 120)
    while process.poll() is None and _pictures(output) < before + more:
        time.sleep(0.02)
    process.kill()
    process.wait()
    print(f"  killed with {_pictures(output)} pictures")


def _pictures(folder: Path) -> int:
    return sum(path.suffix == ".png" for path in folder.iterdir()) if folder.exists() else 0


def _tell(run: RunDirectory) -> None:
    for event in run.events_after(0)[0]:
        if isinstance(event, Table) and event.title == "Why pictures were left out":
            for reason, number in event.rows:
                print(f"  {number:>5}  {reason}")
        if isinstance(event, Notice):
            print(f"  {event.message}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=3000)
    parser.add_argument("--kills", type=int, default=5)
    arguments = parser.parse_args()
    shutil.rmtree(arguments.folder, ignore_errors=True)
    arguments.folder.mkdir(parents=True)
    with LyingServer() as server:
        began = time.perf_counter()
        paths, truth = make_log(arguments.folder, arguments.rows, server.url)
        size = sum(path.stat().st_size for path in paths) / 1e6
        took = time.perf_counter() - began
        print(f"{arguments.rows:,} rows, {size:.0f} MB in {len(paths)} files, made in {took:.0f} s")
        count(arguments.folder, paths, truth)
        if arguments.pictures:
            download(arguments.folder, paths, truth, server, arguments)


if __name__ == "__main__":
    main()
