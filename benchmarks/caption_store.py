"""How long the page waits for an answer about many captions.

    python3 benchmarks/caption_store.py [--pictures 10000] [--folder NEW_FOLDER]

Makes a folder of empty pictures with captions of tags, asks the page's server as the page does, and tells how long each
answer took: the slowest of five, where asking changes nothing. What writes files is told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.ui.host import Host
from lib_trainer.ui.server import Server
from lib_trainer.ui.web import Request

CAPTIONS = "/trainer/api/projects/first/runs/inspect-1"
COLOURS = ("red", "blue", "green", "white", "black", "brown", "golden", "grey", "silver", "pink")
THINGS = ("hair", "shirt", "sky", "car", "house", "eyes", "dress", "tree", "flower", "wall", "hat", "shoes", "river")
TAGS = [f"{colour}_{thing}" for colour in COLOURS for thing in THINGS] + [f"word {n}" for n in range(400)]


def captions(count: int) -> list[str]:
    """Captions of 8 to 30 tags, some far more frequent than others."""
    lots = random.Random(0)
    weights = [1 / (n + 1) for n in range(len(TAGS))]
    return [", ".join(dict.fromkeys(lots.choices(TAGS, weights, k=lots.randint(8, 30)))) for _ in range(count)]


def make(folder: Path, count: int) -> Server:
    """A server whose project has looked at a folder of so many pictures."""
    pictures, found = folder / "pictures", []
    pictures.mkdir(parents=True)
    for n, text in enumerate(captions(count)):
        (pictures / f"{n:05d}.png").touch()
        (pictures / f"{n:05d}.txt").write_text(text, encoding="utf-8")
        found.append({"n": n, "file": f"{n:05d}.png", "bytes": 0, "width": 512, "height": 512, "caption": text,
                      "caption_source": ".txt", "repeats": 1, "problem": "", "warnings": [], "how": "crop",
                      "target": [512, 512], "crop": [0, 0, 512, 512], "thumb": f"thumbs/{n}.png"})  # fmt: skip
    run = RunDirectory(folder / "data" / "projects" / "first" / "runs" / "inspect-1")
    run.create("inspect", {"folder": str(pictures)})
    listing = {"folder": str(pictures), "pictures": found}
    (run.path / "listing.json").write_text(json.dumps(listing), encoding="utf-8")
    return Server(Host(), folder / "data")


def main() -> None:
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--pictures", type=int, default=10_000)
    reader.add_argument("--folder", type=Path)
    told = reader.parse_args()
    folder = told.folder or Path(tempfile.mkdtemp())
    server = make(folder, told.pictures)

    def timed(name: str, address: str, times: int = 5, method: str = "POST", **body: Any) -> None:
        slowest = [max(each) for each in zip(*(one(address, method, body) for _ in range(times)), strict=True)]
        print(f"{name:50} {slowest[0] * 1000:8.0f} ms, of the processor {slowest[1] * 1000:8.0f} ms")

    def one(address: str, method: str, body: Any) -> tuple[float, float]:
        start, processor = time.perf_counter(), sum(os.times()[:4])
        reply = server.answer(Request(method, f"{CAPTIONS}/{address}", {}, body))
        taken = time.perf_counter() - start, sum(os.times()[:4]) - processor
        if reply.status != 200:
            raise SystemExit(reply.content.decode())
        return taken

    rules: Any = [{"kind": "underscores"}, {"kind": "generic"}, {"kind": "dedupe"}]
    pattern = [{"kind": "pattern", "pattern": r"(\w+) (\d+)", "into": r"\2 \1"}]
    print(f"{told.pictures} pictures")
    timed("first look (reads every caption)", "captions", times=1, method="GET")
    timed("first count of tokens", "captions/search", times=1, query="tokens>75")
    timed("state", "captions", method="GET")
    timed("search: a word", "captions/search", query="flower")
    timed("search: tags, and, or, not", "captions/search", query='(tag:"red hair" or tag:"blue sky") -golden tokens>40')
    timed("search: a pattern", "captions/search", query='re:"red.*wall"')
    timed("counts of all tags", "captions/tags")
    timed("counts beside one tag", "captions/tags", **{"with": "red hair"})
    timed("counts in a search", "captions/tags", query="flower")
    timed("suggestions for a beginning", "captions/tags", begin="wh", most=20)
    timed("tokens of all captions", "captions/tokens", query="")
    timed("preview: add a tag to all", "captions/preview", rules=[{"kind": "add", "tags": ["new"]}], most=200)
    timed("preview: three rules on all", "captions/preview", rules=rules, most=200)
    timed("preview: a pattern on all", "captions/preview", rules=pattern, most=200)
    timed("one caption by hand", "caption", n=5, text="by hand")
    timed("write: add a tag to 100 (files)", "captions/apply", times=1, rules=[{"kind": "add", "tags": ["hundred"]}],
          files=[f"{n:05d}.png" for n in range(100)])  # fmt: skip
    timed("write: three rules on all (files)", "captions/apply", times=1, rules=rules)
    timed("take all that back (files)", "captions/undo", times=1)


if __name__ == "__main__":
    main()
