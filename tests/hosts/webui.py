"""A WebUI as small as can be, run by the Python of one: our tab in a launched app, middleware and routes as there.

    python webui.py OUTSIDE [user:password]     prints its address as a line of JSON, ends with its standard input

`OUTSIDE` is a folder that may not be chosen through the page.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import gradio
from fastapi.middleware.gzip import GZipMiddleware
from starlette.middleware import Middleware

from lib_trainer.ui.host import Host
from lib_trainer.ui.mount import mount
from lib_trainer.ui.server import Server
from lib_trainer.ui.tab import tab


class OpenHost(Host):
    """A host that others reach, who may choose within its own folders only."""

    name = "a small WebUI"
    version = gradio.__version__
    listens = True
    any_folder = False


def launched(logins):
    """The app of a WebUI with two tabs, ours within `gr.TabItem` as AUTOMATIC1111 puts it there."""
    with gradio.Blocks(analytics_enabled=False, title="Small WebUI") as demo, gradio.Tabs(elem_id="tabs"):
        with gradio.TabItem("txt2img", id="txt2img", elem_id="tab_txt2img"):
            gradio.Textbox(label="Prompt", elem_id="txt2img_prompt")
        ours = tab()
        with gradio.TabItem("Trainer", id="trainer", elem_id="tab_trainer"):
            ours.render()
    demo.queue()
    app, address, _ = demo.launch(
        server_name="127.0.0.1", auth=logins or None, prevent_thread_lock=True, quiet=True, inbrowser=False, share=False
    )
    return demo, app, address


def compress(app):
    """Put a gzip in front of an app that was built already, as AUTOMATIC1111 does it."""
    app.middleware_stack = None
    app.user_middleware.insert(0, Middleware(GZipMiddleware, minimum_size=1000))
    app.middleware_stack = app.build_middleware_stack()


def main(arguments):
    logins = [tuple(text.split(":")) for text in arguments]
    demo, app, address = launched(logins)
    compress(app)
    server = Server(OpenHost())
    mount(app, server)
    server.begin()
    print(json.dumps({"address": address, "gradio": gradio.__version__}), flush=True)
    sys.stdin.read()
    server.end()
    demo.close()


if __name__ == "__main__":
    sys.path.append(str(Path(__file__).parents[2]))
    main(sys.argv[1:])
