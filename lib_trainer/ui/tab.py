"""The tab's content for Gradio of any version: one element, which the page's script fills."""

from __future__ import annotations

from typing import Any

TITLE = "Trainer"
ROOT = '<div id="trainer-root"></div>'


def tab() -> Any:
    """A `gr.Blocks` with the root; nothing in it can be kept in a WebUI's ui-config.json."""
    import gradio

    with gradio.Blocks(title=TITLE, analytics_enabled=False) as blocks:
        gradio.HTML(ROOT, elem_id="trainer-shell")
    return blocks
