"""The whole way in a real WebUI, one claim after the other; see `__main__.py`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops
from playwright.sync_api import expect, sync_playwright
from safetensors import safe_open

from tests.environments import chromium
from tests.webui.pages import Pages, wait_for
from tests.webui.program import ROOT, WebUI

ASKED = "an openmoji emoji of a red heart"
MORE = ("--disable-gpu", "--no-sandbox", "--disable-background-networking", "--no-first-run")


class Way:
    """One WebUI and one browser tab; `say` reports each claim as it is shown."""

    def __init__(self, webui: WebUI, pages: Pages) -> None:
        self.webui, self.pages = webui, pages
        self.can_draw_demo = webui.kind == "A1111"
        self.size = 128 if self.can_draw_demo else 64
        self.shots = webui.data / "screenshots"

    def say(self, claim: str) -> None:
        sys.stdout.write(f"ok  {claim}\n")
        sys.stdout.flush()
        self.shots.mkdir(exist_ok=True)
        name = "".join(sign if sign.isalnum() else "-" for sign in claim[:40])
        self.pages.page.screenshot(path=self.shots / f"{len(list(self.shots.iterdir())):02}-{name}.png")

    def config(self) -> dict[str, str]:
        """What is typed into the demo's form, so that a training takes a minute on a CPU."""
        less = {"epochs": "2", "max_steps": "24", "previews__every": "never", "saving__state_every": "1 step"}
        if self.can_draw_demo:
            return {**less, "dataset__repeats": "2"}
        model = Path(os.environ["WEBUI_CHECKPOINT"]).name
        return {**less, "model": model, "batch_size": "1", "dataset__repeats": "1", "learning_rate": "0.005",
                "max_steps": "48", "saving__every": "24 steps", "dataset__buckets__resolution": "64",
                "validation__every": "never"}  # fmt: skip

    def train(self) -> dict[str, Any]:
        """The demo as a newcomer, with Reload UI while it trains."""
        pages = self.pages
        pages.open()
        pages.first_start()
        pages.set("train", **self.config())
        started = pages.start()
        wait_for("the first step", lambda: (pages.run(started["id"]).get("progress") or {}).get("unit") == "steps")
        process = self.process(started["id"])
        self.say("a training starts from the tab")
        pages.reload_ui()
        run = pages.run(started["id"])
        assert run["state"] in ("running", "finished"), run
        assert self.process(started["id"]) == process, "Reload UI started another engine"
        pages.open()
        pages.stop("progress")
        pages.page.locator("#trainer-progress-run").wait_for()
        self.say(f"after Reload UI the page follows the same run ({run['state']})")
        run = pages.finished(started["id"])
        for network in run["networks"]:
            file = Path(network["path"])
            assert file.is_file() and file.is_relative_to(self.webui.folder / "models" / "Lora"), file
        saved = {Path(network["path"]).stem for network in run["networks"]}
        wait_for("the WebUI's list has them", lambda: saved <= self.listed(), 5)
        self.say(f"{len(run['networks'])} LoRA files lie in the WebUI's folder, and its list shows them")
        shown = pages.told(f"projects/first/runs/{run['id']}/shown?path={run['networks'][-1]['path']}")
        sys.stdout.write(f"    shown: {shown}\n")
        return run

    def listed(self) -> set[str]:
        """The names in the WebUI's own list of LoRAs, which is read from what it knows, not from the disk."""
        return {Path(each["path"]).stem for each in self.webui.ask("/sdapi/v1/loras")}

    def process(self, run_id: str) -> int:
        """The engine's process, as its newest start says."""
        return [event["process"] for event in self.pages.events(run_id) if event["event"] == "started"][-1]

    def compare(self, run: dict[str, Any]) -> None:
        """Draw the epochs in place."""
        pages = self.pages
        model = json.loads(json.dumps(pages.run(run["id"])["config"]["model"]))
        config = {
            "model": model, "networks": [network["path"] for network in run["networks"]], "prompts": [ASKED],
            "seeds": [3], "cfg_scales": [4], "steps": [10 if self.can_draw_demo else 2], "samplers": ["DPM++ 2M"],
            "width": self.size, "height": self.size,
        }  # fmt: skip
        form = pages.told("projects/first/form")["form"]
        pages.told("projects/first/form", {"form": {**form, "compare": config}}, "PUT")
        pages.open()
        pages.stop("compare")
        before = {each["id"] for each in pages.runs()}
        expect(pages.page.locator("#trainer-compare-plan")).to_contain_text(f"{len(run['networks']) + 1} pictures")
        pages.page.locator("#trainer-compare-start").click()
        new = wait_for("a comparison", lambda: [each for each in pages.runs() if each["id"] not in before])[0]
        done = pages.finished(new["id"])
        cells = [event for event in pages.events(done["id"]) if event["event"] == "cell"]
        assert len(cells) == len(run["networks"]) + 1, cells
        pictures = [Image.open(cell["path"]).convert("RGB") for cell in sorted(cells, key=lambda cell: cell["row"])]
        assert all(picture.size == (self.size, self.size) for picture in pictures)
        assert ImageChops.difference(pictures[0], pictures[-1]).getbbox(), "the last epoch draws what the model draws"
        assert "<lora:" in cells[-1]["parameters"], cells[-1]
        time.sleep(3)
        self.say(f"compared in place: {len(cells)} pictures, the last epoch's differs from the model's alone")

    def draw(self, run: dict[str, Any]) -> None:
        """txt2img with and without the LoRA."""
        name = Path(run["networks"][-1]["path"]).stem
        steps = 12 if self.can_draw_demo else 2
        infotext = f"Steps: {steps}, Sampler: DPM++ 2M, CFG scale: 4, Seed: 3, Size: {self.size}x{self.size}"
        self.pages.open("txt2img")
        without = self.pages.draw(ASKED, infotext)
        with_it = self.pages.draw(f"{ASKED} <lora:{name}:1>", infotext)
        assert ImageChops.difference(without.convert("RGB"), with_it.convert("RGB")).getbbox(), with_it.info
        assert f"{name}: " in with_it.info["parameters"].partition("Lora hashes")[2], with_it.info
        self.say("txt2img with the LoRA draws another picture and names its hash")
        self.pages.draw(ASKED, infotext)
        plot = self.pages.plot_over_epochs()
        assert plot.width >= self.size * len(run["networks"]), plot.size
        plot.save(self.shots / "xyz-plot.png")
        self.say(f"X/Y/Z plot over the epochs, {plot.width} x {plot.height} px")

    def interrupted(self, whole: dict[str, Any]) -> None:
        """Kill the engine and the WebUI in a second run with the same settings; it resumes to the same weights."""
        pages = self.pages
        pages.open()
        pages.stop("train")
        pages.set("train", saving__name="again")
        run = pages.start()
        wait_for("three steps", lambda: (pages.run(run["id"]).get("progress") or {}).get("done", 0) >= 3
                 and pages.run(run["id"])["progress"]["unit"] == "steps")  # fmt: skip
        os.kill(self.process(run["id"]), signal.SIGKILL)
        began, bar = time.monotonic(), pages.page.locator('.trainer-run-bar[data-state="interrupted"]').first
        wait_for("the page says so", bar.is_visible, 10)
        self.say(f"a killed engine shows as interrupted after {time.monotonic() - began:.1f} s")
        self.webui.kill()
        self.webui.start(*engine())
        assert pages.run(run["id"])["state"] == "interrupted"
        pages.open()
        pages.stop("progress")
        pages.page.locator("#trainer-run-resume").click()
        wait_for("it goes on", lambda: pages.run(run["id"])["state"] != "interrupted", 10)
        pages.finished(run["id"])
        again = pages.run(run["id"])
        for one, other in zip(whole["networks"], again["networks"], strict=True):
            assert tensors(one["path"]) == tensors(other["path"]), f"{other['path']} differs from {one['path']}"
        self.say(f"resumed after both were killed: {len(again['networks'])} files with the same weights, bit for bit")


def tensors(path: str) -> dict[str, bytes]:
    """The weights of a file by name."""
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name).numpy().tobytes() for name in file.keys()}  # noqa: SIM118


def main() -> int:
    """Go the way; the WebUI is left as it was found."""
    folder = Path(os.environ["WEBUI_DIR"]).absolute()
    python = Path(os.environ.get("WEBUI_PYTHON") or folder / "venv" / "bin" / "python").absolute()
    data = ROOT / "data" / f"webui-{folder.parent.name}-{folder.name}"
    shutil.rmtree(data, ignore_errors=True)
    webui = WebUI(folder, python, data)
    webui.data.mkdir(parents=True)
    before = webui.freeze()
    kept = set(lora_files(folder))
    webui.link()
    if "WEBUI_CHECKPOINT" in os.environ:
        webui.lend_checkpoint(Path(os.environ["WEBUI_CHECKPOINT"]).absolute())
    try:
        seconds = webui.start(*engine())
        sys.stdout.write(f"ok  {webui.kind} answers after {seconds:.0f} s on {webui.address}\n")
        with sync_playwright() as browsers:
            browser = browsers.chromium.launch(executable_path=chromium(), args=MORE)
            way = Way(webui, Pages(browser.new_page(viewport={"width": 1280, "height": 900}), webui))
            run = way.train()
            way.compare(run)
            way.draw(run)
            way.interrupted(run)
            browser.close()
        assert webui.freeze() == before, "the WebUI's environment has changed"
        sys.stdout.write(f"ok  pip freeze is the same before and after ({len(before.splitlines())} packages)\n")
    finally:
        webui.stop()
        webui.unlink()
        for file in set(lora_files(folder)) - kept:
            file.unlink()
    return 0


def engine() -> tuple[str, str]:
    """The flag with which the WebUI takes the engine that the tests have."""
    return "--trainer-python", os.environ["TRAINER_ENGINE"]


def lora_files(folder: Path) -> list[Path]:
    """All files in the WebUI's LoRA folder."""
    return [file for file in (folder / "models" / "Lora").rglob("*") if file.is_file()]


if __name__ == "__main__":
    sys.exit(main())
