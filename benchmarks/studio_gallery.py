"""How long the studio's gallery takes to answer with many pictures, in Chromium.

    python3 benchmarks/studio_gallery.py [--pictures 10000] [--rounds 10]

Run it with the tests' Python (it needs playwright, and the page's environment that `python3 tests` makes). Each
answer is timed in the page itself, from the act until everything that is seen then is drawn with its facts: median
and slowest.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Page as Browser
from playwright.sync_api import sync_playwright

from lib_trainer.core.events import Finished, Started
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.demo.places import PICTURES
from tests.browser.trainer_page import Page
from tests.environments import chromium

RUN = "inspect-1"
TAGS = [f"{colour} {thing}" for colour in ("red", "blue", "green", "white") for thing in ("hair", "sky", "car", "hat")]
LIMIT = 200  # milliseconds that an answer may take
HELPERS = """
() => {
  const isDrawn = (card) => card.querySelector('.trainer-quiet') !== null;
  const seen = () => [...document.querySelectorAll('.trainer-gallery [data-n]')].filter((card) => {
    const { top, bottom } = card.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });
  const isWhole = (least) => { const cards = seen(); return cards.length >= least && cards.every(isDrawn); };
  const frame = () => new Promise((next) => requestAnimationFrame(next));
  const timed = async (act, isDone) => {
    const began = performance.now();
    act();
    while (!isDone()) {
      if (performance.now() - began > 20000) throw new Error('nothing came in 20 s');
      await frame();
    }
    return performance.now() - began;
  };
  const write = (id, text) => {
    const field = document.getElementById(id);
    field.value = text;
    field.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const told = () => [...document.querySelectorAll('[role=status]')];
  const says = (text) => told().some((each) => each.textContent.includes(text));
  const smooth = async (frames) => {
    let [longest, last] = [0, performance.now()];
    for (let at = 0; at < frames; at += 1) {
      window.scrollBy(0, 120);
      await frame();
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }
    return longest;
  };
  window.timing = { timed, write, says, isWhole, smooth };
}
"""


def make(home: Path, count: int) -> dict[str, int]:
    """A project that has looked at a folder of so many pictures; how many have each tag."""
    pictures, lots = home / "pictures", random.Random(0)
    pictures.mkdir(parents=True)
    run = RunDirectory(home / "data" / "projects" / "first" / "runs" / RUN)
    run.create("inspect", {"folder": str(pictures)})
    thumb = run.path / "thumbs" / "one.png"
    thumb.parent.mkdir()
    shutil.copy(next(PICTURES.rglob("*.png")), thumb)
    found, counts = [], dict.fromkeys(TAGS, 0)
    for n in range(count):
        tags = lots.sample(TAGS, 5)
        counts.update({tag: counts[tag] + 1 for tag in tags})
        file = pictures / f"{n:05d}.png"
        file.touch()
        file.with_suffix(".txt").write_text(", ".join(tags), encoding="utf-8")
        found.append({"n": n, "file": file.name, "bytes": 9000, "width": 512, "height": 512, "caption": ", ".join(tags),
                      "caption_source": ".txt", "repeats": 1, "problem": "", "warnings": [], "how": "crop",
                      "target": [512, 512], "crop": [0, 0, 512, 512], "thumb": "thumbs/one.png"})  # fmt: skip
    listing = {"folder": str(pictures), "pictures": found}
    (run.path / "listing.json").write_text(json.dumps(listing), encoding="utf-8")
    run.append(Started("inspect", 1))
    run.append(Finished({"folder": str(pictures), "count": count, "skipped": 0, "listing": "listing.json"}))
    return counts


def told(name: str, milliseconds: list[float]) -> None:
    slowest = max(milliseconds)
    verdict = "" if slowest < LIMIT else f"  over {LIMIT} ms"
    print(f"{name:46} {statistics.median(milliseconds):6.0f} ms, slowest {slowest:6.0f} ms{verdict}", flush=True)


def measure(page: Browser, count: int, counts: dict[str, int], rounds: int) -> None:
    """Time every answer."""

    def timed(act: str, done: str) -> float:
        told: Any = page.evaluate(f"() => timing.timed(() => {{ {act} }}, () => {done})")
        return float(told)

    page.evaluate(HELPERS)
    lots = random.Random(1)
    filters = []
    for tag in lots.sample(TAGS, min(rounds, len(TAGS))):
        said = f"timing.says('{counts[tag]:,} pictures found') && timing.isWhole(6)"
        filters.append(timed(f"timing.write('trainer-pictures-filter', '{tag}')", said))
    told("filter by a word", filters)
    everything = timed("timing.write('trainer-pictures-filter', '')", f"timing.says('{count:,} pictures')")
    told("show all again", [everything])
    heights = "document.querySelector('.trainer-gallery').offsetHeight"
    jumps = [timed(f"scrollTo(0, {lots.random() * 0.95} * {heights})", "timing.isWhole(6)") for _ in range(3 * rounds)]
    told("scroll to any place", jumps)
    page.evaluate("() => scrollTo(0, 0)")
    told("longest frame while scrolling on", [float(page.evaluate("() => timing.smooth(120)")) for _ in range(3)])
    page.evaluate("() => scrollTo(0, 0)")
    choose = "[...document.querySelectorAll('button')].find((each) => each.textContent === 'Choose all shown').click()"
    told("choose all", [timed(choose, f"timing.says('{count:,} chosen')")])
    nothing = "[...document.querySelectorAll('button')].find((each) => each.textContent === 'Choose none').click()"
    told("choose none", [timed(nothing, f"!timing.says('{count:,} chosen')")])
    page.click("#trainer-section-captions")
    page.wait_for_selector("#trainer-captions-tags li", timeout=60_000)
    searches = []
    for tag in lots.sample(TAGS, min(rounds, len(TAGS))):
        said = f"timing.says('{counts[tag]:,} pictures found') && timing.isWhole(4)"
        searches.append(timed(f"timing.write('trainer-captions-search', 'tag:\"{tag}\"')", said))
    told("search captions by a tag", searches)


def main() -> None:
    reader = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    reader.add_argument("--pictures", type=int, default=10_000)
    reader.add_argument("--rounds", type=int, default=10)
    given = reader.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as browsers:
        home = Path(folder)
        counts = make(home, given.pictures)
        server = Page(home / "data")
        browser = browsers.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        try:
            server.start()
            form = {"open": "pictures", "section": "look", "pictures": {"folder": str(home / "pictures")},
                    "look": {"run": RUN, "folder": str(home / "pictures")}}  # fmt: skip
            server.visitor.ask("PUT", "/trainer/api/projects/first/form", {"form": form})
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.goto(server.visitor.address)
            page.wait_for_selector(".trainer-gallery [data-n='0'] img", timeout=120_000)
            print(f"{given.pictures:,} pictures; each answer is to come within {LIMIT} ms")
            measure(page, given.pictures, counts, given.rounds)
        finally:
            browser.close()
            server.end()


if __name__ == "__main__":
    main()
