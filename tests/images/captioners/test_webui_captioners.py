"""The interrogators of the WebUI in whose tab `caption` was started say what is on the pictures."""

from __future__ import annotations

import pytest

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.events import Notice
from lib_trainer.core.host_desk import DeclinedError
from lib_trainer.core.run_directory import RunDirectory
from lib_trainer.images.captioners.nothing import Nothing
from lib_trainer.images.captioners.options import CaptioningOptions
from lib_trainer.images.captioners.webui import WebuiDeepbooru, WebuiInterrogator

pytestmark = pytest.mark.engine
pytest.importorskip("PIL")

from PIL import Image  # noqa: E402

from lib_trainer.images.captioners.caption import caption  # noqa: E402
from tests.answering_page import answering  # noqa: E402


@pytest.fixture
def run(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.create("caption", {})
    return run


def webui(run, offered=("describe", "tag"), fails=(), on_ask=lambda: None):
    """A WebUI that says how large a picture is, and names two tags."""

    def say(source, target, task):
        on_ask()
        with Image.open(source) as image:
            size = image.size
        if size in fails:
            raise DeclinedError("out of memory")
        styles = ", by greg" if task.get("styles") else ""
        words = {"describe": f"a picture {size[0]} wide{styles}\n", "tag": "long_hair\nsaber_(fate)\n"}
        target.write_text(words[task["what"]], encoding="utf-8")

    return answering(run, {what: [what] for what in offered}, say)


def options_of(photos, describer=None, tagger=None, **told):
    halves = {"describer": describer or Nothing(), "tagger": tagger or Nothing()}
    return CaptioningOptions(folder=photos, device="cpu", **halves, **told)


def notices(run):
    return [event.message for event in run.events_after(0)[0] if isinstance(event, Notice)]


@pytest.mark.option("WebuiInterrogator.styles")
def test_sentences_and_tags_are_the_webuis(photos, run):
    with webui(run):
        result = caption(options_of(photos, WebuiInterrogator(), WebuiDeepbooru()), run)
    assert result["written"] == 5
    assert (photos / "a.txt").read_text(encoding="utf-8") == "a picture 60 wide, long hair, saber (fate)"
    assert (photos / "in" / "d.txt").read_text(encoding="utf-8") == "a picture 90 wide, long hair, saber (fate)"
    assert "Tags come from the WebUI's Interrogate DeepBooru, on the WebUI's device." in notices(run)
    again = RunDirectory(run.path.parent / "again")
    again.create("caption", {})
    with webui(again):
        told = {"existing": "overwrite", "only": ("a.png",), "dry_run": True}
        caption(options_of(photos, WebuiInterrogator(styles=True), **told), again)
    assert '"a picture 60 wide, by greg"' in (again.path / "captions.jsonl").read_text(encoding="utf-8")


def test_a_picture_that_the_webui_declines_is_named_and_the_others_captioned(photos, run):
    with webui(run, fails=[(32, 32)]):
        result = caption(options_of(photos, tagger=WebuiDeepbooru()), run)
    assert (result["written"], result["failed"]) == (4, 1)
    assert "b.png has no new caption: the WebUI could not look at it (out of memory)." in notices(run)
    assert not (photos / "b.txt").exists()


def test_without_a_webui_that_can_it_is_refused_before_anything_is_written(photos, run):
    with pytest.raises(ConfigError, match=r"'describer' is 'webui', but no WebUI .* or take 'blip'"):
        caption(options_of(photos, WebuiInterrogator()), run)
    with webui(run, offered=["describe"]), pytest.raises(ConfigError, match="'tagger' is 'webui deepbooru', but no"):
        caption(options_of(photos, tagger=WebuiDeepbooru()), run)
    assert not list(photos.rglob("*.txt"))


def test_asked_to_stop_it_ends_and_begun_again_it_goes_on(photos, run):
    with webui(run, on_ask=lambda: run.request("stop")):
        assert caption(options_of(photos, WebuiInterrogator(), batch_size=1), run)["failed"] == 0
    run.take_request("stop")
    assert len(list(photos.rglob("*.txt"))) < 5
    with webui(run):
        assert caption(options_of(photos, WebuiInterrogator(), batch_size=1), run)["written"] == 5
