"""The WebUI's interrogators at work for a run of `caption`."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.ui.webui.host import WebUIHost

pytest.importorskip("PIL")

from PIL import Image


class Interrogator:
    """As modules/interrogate.py has it: trouble with a model is raised, and swallowed by `interrogate`."""

    def __init__(self, webui):
        self.webui, self.trouble, self.log = webui, None, []

    def load(self):
        assert self.webui.queue_lock.locked(), "asked outside of the queue"
        self.log.append("load")
        if self.trouble is not None:
            raise self.trouble

    def unload(self):
        self.log.append("unload")

    def generate_caption(self, pil_image):
        return f"a {pil_image.mode} picture of {pil_image.width} by {pil_image.height}"

    def interrogate(self, pil_image):
        try:
            self.load()
            said = f"{self.generate_caption(pil_image)}, by greg, oil painting"
        except (RuntimeError, IndexError):
            said = "<error>"
        self.unload()
        return said


class DeepDanbooru:
    """As modules/deepbooru.py has it: its settings spell the tags."""

    def __init__(self, webui):
        self.webui, self.log, self.trouble = webui, [], None

    def start(self):
        assert self.webui.queue_lock.locked(), "asked outside of the queue"
        self.log.append("start")

    def stop(self):
        self.log.append("stop")

    def tag_multi(self, pil_image, force_disable_ranks=False):
        if self.trouble is not None:
            raise self.trouble
        opts = self.webui.shared.opts
        tags = ["long_hair", "saber_(fate)", "^_^", "\\m/"]
        if opts.deepbooru_use_spaces:
            tags = [tag.replace("_", " ") for tag in tags]
        if opts.deepbooru_escape:
            tags = [tag.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)") for tag in tags]
        return ", ".join(tags if force_disable_ranks else [f"({tag}:0.900)" for tag in tags])


@pytest.fixture
def interrogators(webui):
    """Both of them, in their places."""
    webui.shared.opts.data |= {"deepbooru_use_spaces": True, "deepbooru_escape": True, "interrogate_return_ranks": True}
    webui.shared.interrogator = Interrogator(webui)
    sys.modules["modules"].deepbooru = SimpleNamespace(model=DeepDanbooru(webui))
    return SimpleNamespace(clip=webui.shared.interrogator, deepbooru=sys.modules["modules"].deepbooru.model)


@pytest.fixture
def asked(webui, tmp_path):
    """`asked("tag")`: what the WebUI says about a picture."""
    Image.new("L", (20, 12), 90).save(tmp_path / "a.in", "PNG")

    def answer(what, **told):
        run = webui.run_of("caption")
        WebUIHost().interrogate(tmp_path / "a.in", tmp_path / "a.out", {"what": what, **told}, run)
        return (tmp_path / "a.out").read_text(encoding="utf-8")

    return answer


def test_what_a_webui_has_is_offered(webui, interrogators):
    assert WebUIHost().interrogators() == ["describe", "tag"]
    webui.shared.interrogator = None
    assert WebUIHost().interrogators() == ["tag"]


def test_a_webui_without_interrogators_offers_none(webui):
    assert WebUIHost().interrogators() == []


def test_a_sentence_is_blips_alone_and_the_models_are_put_away(webui, interrogators, asked):
    assert asked("describe", styles=False) == "a RGB picture of 20 by 12"
    assert interrogators.clip.log == ["load", "unload"]
    assert webui.log == ([] if webui.forge else ["lowvram", "collect"])


def test_styles_are_the_webuis_own_answer(interrogators, asked):
    assert asked("describe", styles=True) == "a RGB picture of 20 by 12, by greg, oil painting"


@pytest.mark.parametrize("spaces", [True, False])
@pytest.mark.parametrize("escape", [True, False])
def test_tags_are_those_of_the_list_however_the_settings_spell_them(webui, interrogators, asked, spaces, escape):
    webui.shared.opts.data |= {"deepbooru_use_spaces": spaces, "deepbooru_escape": escape}
    assert asked("tag").splitlines() == ["long_hair", "saber_(fate)", "^_^", "\\m/"]
    assert interrogators.deepbooru.log == ["start", "stop"]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [(RuntimeError("CUDA out of memory"), "CUDA out of memory"), (IndexError("list index"), "could not be downloaded")],
)
def test_what_goes_wrong_is_said(interrogators, asked, trouble, said):
    interrogators.clip.trouble = interrogators.deepbooru.trouble = trouble
    with pytest.raises(DeclinedError, match=said):
        asked("describe", styles=False)
    with pytest.raises(DeclinedError, match=said):
        asked("tag")
    with pytest.raises(DeclinedError, match="console says why"):
        asked("describe", styles=True)
    assert interrogators.clip.log[-1] == "unload"
    assert interrogators.deepbooru.log[-1] == "stop"
