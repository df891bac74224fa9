"""The page on its own: Gradio is the shell, our script the page, our routes the data; ends with its standard input."""

from __future__ import annotations

import json
import os
import socket
import sys
import webbrowser
from contextlib import closing
from pathlib import Path
from typing import Any

from lib_trainer.core.configs import load
from lib_trainer.core.errors import ConfigError, TrainerError
from lib_trainer.core.places import EXTENSION_ROOT, data_folder
from lib_trainer.ui.host import Host
from lib_trainer.ui.mount import NAME, PREFIX, mount
from lib_trainer.ui.options import PageOptions, logins
from lib_trainer.ui.server import Server
from lib_trainer.ui.tab import tab

HERE = Path(__file__).parent
PORTS_TRIED = 20
HERE_ONLY, EVERYWHERE = "127.0.0.1", "0.0.0.0"
FONTS = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"]  # no font is asked of another server
FIXED_FONTS = ["ui-monospace", "Consolas", "Menlo", "monospace"]


def main() -> int:
    """Read the options from a line of standard input, and serve until that input is closed; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a console of any encoding shows any path
    try:
        options = load(PageOptions, json.loads(sys.stdin.readline()))
        serve(options)
    except TrainerError as error:
        _say(f"Error: {error}")
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def serve(options: PageOptions) -> None:
    """Open the page, and close it when standard input ends; trainings go on.

    Raises:
        ConfigError: an option can't be used, or no port is free.
    """
    server = Server(_host(options), data_folder())
    blocks = tab()
    port = free_port(options.port, options.listen)
    app, address, _ = blocks.launch(**_launch_options(options, port))
    mount(app, server)
    server.begin()
    try:
        _say(f"The page is ready: {address}\nCtrl-C ends it; trainings that have begun go on.")
        if options.open_browser and _has_screen():
            webbrowser.open(address)
        sys.stdin.read()
    finally:
        server.end()
        blocks.close(verbose=False)


def _host(options: PageOptions) -> Host:
    host = Host()
    host.listens = options.listen
    host.any_folder = options.any_folder or not options.listen
    host.python = options.engine_python
    return host


def _launch_options(options: PageOptions, port: int) -> dict[str, Any]:
    import gradio

    return {
        "server_name": EVERYWHERE if options.listen else HERE_ONLY,
        "server_port": port,
        "auth": logins(options) or None,
        "share": False,
        "quiet": True,
        "inbrowser": False,
        "prevent_thread_lock": True,
        "ssr_mode": False,
        "mcp_server": False,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": [],
        "favicon_path": str(HERE / "page-icon.svg"),
        "theme": gradio.themes.Default(font=FONTS, font_mono=FIXED_FONTS),
        "head": _head(),
        "app_kwargs": {"routes": [_not_yet()]},
    }


def _not_yet() -> Any:
    """A route that says that we begin, between Gradio's start and `mount`, which puts its own in this place."""
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    def answer(request: Any) -> Any:
        del request
        return JSONResponse({"error": "The page is starting; ask again in a moment."}, 503)

    return Route(f"{PREFIX}/{{path:path}}", answer, methods=["GET", "POST", "PUT", "DELETE"], name=NAME)


def _head() -> str:
    """Our style and the door to our script; Gradio would rewrite the selectors of a style given as `css`."""
    files = (HERE / "page.css", EXTENSION_ROOT / "style.css", EXTENSION_ROOT / "javascript" / "trainer.js")
    shell, style, door = (file.read_text(encoding="utf-8") for file in files)
    return f"<style>{shell}</style>\n<style>{style}</style>\n<script>{door}</script>"


def free_port(first: int, listens: bool) -> int:
    """The first port from there on that nobody uses.

    Raises:
        ConfigError: that one and the next ones are all in use.
    """
    last = min(first + PORTS_TRIED - 1, 65535)
    for port in range(first, last + 1):
        if _is_free(port, EVERYWHERE if listens else HERE_ONLY):
            return port
    raise ConfigError(f"The ports {first} to {last} are all in use; choose another with 'port' (--port).")


def _is_free(port: int, address: str) -> bool:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
        if os.name == "posix":  # a port whose last user just ended counts as free; on Windows this would allow any
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True


def _has_screen() -> bool:
    """Whether a browser would open a window, and not take over the terminal."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
