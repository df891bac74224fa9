"""What a user does in a WebUI's pages, in Chromium: the trainer's tab, txt2img, the X/Y/Z plot, Reload UI."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable
from typing import Any

from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.webui.program import WebUI

MILLISECONDS = 180_000


def wait_for(claim: str, is_so: Callable[[], Any], seconds: float = 180) -> Any:
    """Ask again and again until the answer is true; returns it."""
    end = time.monotonic() + seconds
    while not (answer := is_so()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:g} s: {claim}")
        time.sleep(0.3)
    return answer


class Pages:
    """One browser tab on a WebUI."""

    def __init__(self, page: Page, webui: WebUI) -> None:
        self.page, self.webui = page, webui
        self._last: str | None = None
        page.set_default_timeout(MILLISECONDS)

    def open(self, tab: str = "Trainer") -> None:
        self.page.goto(f"{self.webui.address}/?__theme=dark")
        self.tab(tab)

    def tab(self, title: str) -> None:
        """One of the WebUI's own tabs."""
        self.page.locator("#tabs > .tab-nav button", has_text=title).first.click()
        if title == "Trainer":
            expect(self.page.locator("#trainer-tab-train")).to_be_visible()

    def stop(self, name: str) -> None:
        """One of the trainer's stops."""
        self.page.locator(f"#trainer-tab-{name}").click()

    def field(self, step: str, option: str) -> Locator:
        return self.page.locator(f'[id="trainer-{step}-{option}"]')

    def first_start(self) -> None:
        """The demo button, as a newcomer."""
        self.stop("train")
        self.page.locator("#trainer-demo").click()
        expect(self.field("train", "epochs")).to_have_value("6")

    def set(self, step: str, **options: str) -> None:
        """Type values into options; `__` stands for the dot. Headings are opened by searching for the option."""
        for name, value in options.items():
            field = self.field(step, name.replace("__", "."))
            if not field.is_visible():
                self.page.locator(f"#trainer-{step}-search").fill(name.rpartition("__")[2])
            if field.evaluate("(element) => element.tagName") == "SELECT":
                entry = field.locator("option", has_text=value).first
                entry.wait_for(state="attached")
                field.select_option(label=entry.text_content())
            else:
                field.fill(value)
            field.blur()
        search = self.page.locator(f"#trainer-{step}-search")
        if search.count():
            search.fill("")

    def start(self) -> dict[str, Any]:
        """Press Start; returns the new run."""
        before = {run["id"] for run in self.runs()}
        self.page.locator("#trainer-start").click()
        return wait_for("a new run", lambda: [run for run in self.runs() if run["id"] not in before])[0]

    def runs(self) -> list[dict[str, Any]]:
        return self.webui.ask("/trainer/api/projects/first/runs").get("runs", [])

    def run(self, run_id: str) -> dict[str, Any]:
        return self.webui.ask(f"/trainer/api/projects/first/runs/{run_id}")

    def finished(self, run_id: str, seconds: float = 400) -> dict[str, Any]:
        """Wait for the end of a run, which must be a good one."""
        ended = ("finished", "failed", "interrupted", "vanished", "stopped")
        wait_for(f"{run_id} ends", lambda: self.run(run_id).get("state") in ended, seconds)
        run = self.run(run_id)
        said = f"{run['message']} {run.get('log_tail', '')[-1500:]}"
        assert run["state"] == "finished", f"{run_id} {run['state']}: {said}"
        return run

    def events(self, run_id: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after = 0
        while True:
            answer = self.webui.ask(f"/trainer/api/projects/first/runs/{run_id}/events?after={after}")
            found += answer["events"]
            if answer["next"] == after or not answer["events"]:
                return found
            after = answer["next"]

    def reload_ui(self) -> None:
        """Settings > Reload UI; the page comes back by itself."""
        starts = self.webui.starts()
        self.tab("Settings")
        self.page.locator("#settings_restart_gradio").click()
        self.webui.wait_until_up(starts)
        expect(self.page.locator("#trainer-tab-train")).to_be_attached()

    def draw(self, prompt: str, infotext: str) -> Image.Image:
        """txt2img by its own page: the settings come in through its paste button."""
        self.tab("txt2img")
        box = self.page.locator("#txt2img_prompt textarea")
        box.fill(f"{prompt}\n{infotext}")
        self.page.locator("#txt2img_tools #paste").click()
        expect(box).to_have_value(prompt)
        return self.generate()

    def generate(self) -> Image.Image:
        """Press Generate and take the first picture of the gallery, once no preview lies over it."""
        old = self._shown()
        self.page.locator("#txt2img_generate").click()
        address = wait_for("txt2img shows a new picture", lambda: self._shown() if self._shown() != old else None, 300)
        return self._download(address)

    def _shown(self) -> str | None:
        """The address of the finished picture; while it is drawn that of the one before."""
        if self.page.locator("#txt2img_interrupt").is_visible() or self.page.locator(".livePreview").count():
            return self._last
        picture = self.page.locator("#txt2img_gallery img").first
        self._last = picture.get_attribute("src") if picture.count() else None
        return self._last

    def _download(self, address: str) -> Image.Image:
        script = """async (address) => {
            const bytes = new Uint8Array(await (await fetch(address)).arrayBuffer());
            return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
        }"""
        data = base64.b64decode(self.page.evaluate(script, address.partition("?")[0]))
        picture = Image.open(io.BytesIO(data))
        picture.load()
        return picture

    def choose(self, dropdown: str, choice: str) -> None:
        """An entry of one of Gradio's dropdowns."""
        box = self.page.locator(f"{dropdown} input").first
        box.click()
        box.fill(choice)
        self.page.locator(f"{dropdown} ul li", has_text=choice).first.click()

    def plot_over_epochs(self) -> Image.Image:
        """The built-in X/Y/Z plot with our axis, all of its values."""
        self.choose("#script_list", "X/Y/Z plot")
        self.choose("#script_txt2img_xyz_plot_x_type", "[Trainer] Epoch")
        self.page.locator("#xyz_grid_fill_x_tool_button").first.click()
        time.sleep(2)
        picture = self.generate()
        self.choose("#script_list", "None")
        return picture

    def told(self, route: str, data: object = None, method: str = "") -> dict[str, Any]:
        """One of our routes; an error is a failure."""
        answer = self.webui.ask(f"/trainer/api/{route}", data, method)
        assert "error" not in answer, json.dumps(answer)
        return answer
