"""What the extension costs a WebUI: seconds from opening its page to a tab of its own and to ours, and of its start.

    WEBUI_DIR=CHECKOUT WEBUI_PYTHON=PYTHON python benchmarks/webui_tab.py

Run it with the tests' Python (it needs playwright), on a machine with nothing else to do. Each round starts the WebUI
with our extension linked in and without it, and opens its page in Chromium.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Page, expect, sync_playwright

from tests.environments import chromium
from tests.webui.program import WebUI

ROUNDS = 3
ARGUMENTS = ("--disable-gpu", "--no-sandbox", "--disable-background-networking", "--no-first-run")


def seconds_to(page: Page, address: str, selector: str) -> float:
    """From asking for the page until something on it can be seen."""
    began = time.perf_counter()
    page.goto(address, wait_until="commit")
    expect(page.locator(selector)).to_be_visible(timeout=60_000)
    return time.perf_counter() - began


def opened(address: str) -> tuple[float, float]:
    """Seconds until the WebUI's own page can be used, and from the click on our tab until its form can be."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page()
        own = seconds_to(page, address, "#txt2img_generate")
        began = time.perf_counter()
        page.locator("#tabs > .tab-nav button", has_text="Trainer").first.click()
        page.locator("#trainer-tab-train").click()
        expect(page.locator('[id="trainer-train-epochs"]')).to_be_editable(timeout=60_000)
        ours = time.perf_counter() - began
        browser.close()
    return own, ours


def startup(log: Path) -> dict[str, float]:
    """What the WebUI says of its last start."""
    line = [line for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("Startup time:")][-1]
    told = {name.strip(): float(seconds) for name, seconds in re.findall(r"([a-z A-Z_.]+): ([\d.]+)s", line)}
    return {"whole": float(re.findall(r"Startup time: ([\d.]+)s", line)[0]), "scripts": told.get("load scripts", 0.0)}


def main() -> None:
    folder, python = Path(os.environ["WEBUI_DIR"]), Path(os.environ["WEBUI_PYTHON"])
    for number in range(1, ROUNDS + 1):
        with tempfile.TemporaryDirectory() as data:
            webui = WebUI(folder, python, Path(data))
            webui.link()
            try:
                webui.start()
                own, ours = opened(webui.address)
                with_it = startup(webui.log)
                webui.stop()
                webui.unlink()
                webui.start(extension=False)
                without = startup(webui.log)
            finally:
                webui.stop()
                webui.unlink()
        print(f"round {number}: {webui.kind}'s page {own:.2f} s, our tab {ours:.2f} s after the click")
        print(f"round {number}: start with the extension {with_it}, without {without}")


if __name__ == "__main__":
    main()
