"""What the extension costs a WebUI: seconds to open a tab of its own, and ours, on its new page; and of its start.

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
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import expect, sync_playwright

from tests.environments import chromium
from tests.webui.program import WebUI

ROUNDS = 3
TAB = '#tabs > .tab-nav button:has-text("{}")'
EPOCHS = '[id="trainer-train-epochs"]'
ARGUMENTS = ("--disable-gpu", "--no-sandbox", "--disable-background-networking", "--no-first-run")


def opened(address: str, clicks: Sequence[str], usable: str) -> float:
    """Seconds from the first sight of the WebUI's page, by these clicks, until something can be used."""
    with sync_playwright() as browsers:
        browser = browsers.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(address, wait_until="commit")
        expect(page.locator("#txt2img_generate")).to_be_visible(timeout=60_000)
        began = time.perf_counter()
        for click in clicks:
            page.locator(click).first.click()
        expect(page.locator(usable)).to_be_enabled(timeout=60_000)
        seconds = time.perf_counter() - began
        browser.close()
    return seconds


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
                own = opened(webui.address, [TAB.format("Settings")], "#settings_submit")
                ours = opened(webui.address, [TAB.format("Trainer"), "#trainer-tab-train"], EPOCHS)
                with_it = startup(webui.log)
                webui.stop()
                webui.unlink()
                webui.start(extension=False)
                without = startup(webui.log)
            finally:
                webui.stop()
                webui.unlink()
        print(f"round {number}: {webui.kind}'s own tab {own:.2f} s, ours {ours:.2f} s after the page is there")
        print(f"round {number}: start with the extension {with_it}, without {without}")


if __name__ == "__main__":
    main()
