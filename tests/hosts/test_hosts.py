"""Our tab and our routes in the Gradio of AUTOMATIC1111, of Forge, and of the page on its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_trainer.jobs.page_environment import PAGE_PINS
from tests.environments import HOSTS

pytestmark = pytest.mark.hosts
ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "javascript" / "page" / "main.mjs"


def test_it_runs_in_the_gradio_that_it_says(webui):
    assert webui.gradio == {**HOSTS, "page": PAGE_PINS.versions["gradio"]}[webui.name]


def test_the_tab_is_in_the_programs_own_configuration(webui):
    answer = webui.visitor.get("/config")
    roots = [part for part in answer.data["components"] if "trainer-root" in str(part.get("props", {}).get("value"))]
    assert answer.status == 200
    assert [part["type"] for part in roots] == ["html"]


def test_the_pages_script_comes_as_a_script_plain_or_compressed(webui):
    plain = webui.visitor.get("/trainer/page/main.mjs?v=1")
    packed = webui.visitor.get("/trainer/page/main.mjs?v=1", Accept_Encoding="gzip")
    assert plain.status == packed.status == 200
    assert plain.content == packed.content == SCRIPT.read_bytes()
    assert plain.headers["content-type"].startswith("text/javascript")
    assert packed.headers["content-encoding"] == "gzip"
    assert plain.headers["cache-control"] == "no-cache"
    again = webui.visitor.get("/trainer/page/main.mjs?v=1", If_None_Match=plain.headers["etag"])
    assert (again.status, again.content) == (304, b"")


def test_it_says_what_there_is(webui):
    about = webui.visitor.get("about")
    assert about.status == 200
    assert (about.data["host"], about.data["hostVersion"]) == ("a small WebUI", webui.gradio)
    assert {"train", "compare", "prepare", "inspect", "plan"} <= set(about.data["steps"])
    now = webui.visitor.get("now", Accept_Encoding="gzip").data
    assert (now["engine"]["status"], now["running"], now["queue"]) == ("absent", [], [])
    assert webui.visitor.get("projects").data["projects"] == [{"name": "first", "runs": 1}]


def test_a_run_its_events_and_its_picture_come(webui):
    run = webui.visitor.get("projects/first/runs").data["runs"][0]
    assert (run["id"], run["state"]) == ("train-1", "finished")
    events = webui.visitor.get("projects/first/runs/train-1/events?after=0").data
    assert [event["event"] for event in events["events"]] == ["started", "saved", "finished"]
    assert webui.visitor.get(f"projects/first/runs/train-1/events?after={events['next']}").data["events"] == []
    picture = webui.visitor.get(f"projects/first/runs/train-1/file?path={webui.run.samples / 'one.png'}")
    assert (picture.status, picture.headers["content-type"]) == (200, "image/png")
    assert picture.content == (webui.run.samples / "one.png").read_bytes()


def test_complaints_come_with_the_path_of_their_option(webui):
    answer = webui.visitor.post("check", {"step": "train", "config": {"epochs": -3, "batch_size": "many"}})
    assert answer.status == 200
    assert {"epochs", "batch_size"} <= {complaint["path"] for complaint in answer.data["complaints"]}


def test_a_form_with_any_letters_is_kept(webui):
    form = {"open": "train", "train": {"saving": {"name": "Käthes Hund 犬"}}}
    assert webui.visitor.ask("PUT", "/trainer/api/projects/first/form", {"form": form}).status == 200
    assert webui.visitor.get("projects/first/form").data["form"] == form
    assert (webui.home / "projects" / "first" / "form.json").is_file()


def test_a_picture_is_uploaded_as_it_is(webui):
    content = bytes(range(256)) * 5000
    address = "/trainer/api/projects/first/upload?name=cat%20%C3%A4.png&folder=cats"
    answer = webui.visitor.ask("POST", address, content, Content_Type="application/octet-stream")
    assert answer.status == 200
    assert Path(answer.data["path"]).read_bytes() == content
    assert Path(answer.data["path"]).is_relative_to(webui.home / "projects" / "first" / "pictures" / "cats")


def test_wrong_requests_get_a_sentence_and_a_status(webui):
    visitor = webui.visitor
    unknown = visitor.get("nothing")
    assert unknown.status == 404
    assert "There is nothing at" in unknown.data["error"]
    assert visitor.ask("POST", "/trainer/api/now", {}).status == 405
    for body in (b"{", b'{"step": NaN}', b"[" * 200_000, b"\xff"):
        broken = visitor.ask("POST", "/trainer/api/check", body, Content_Type="application/json")
        assert (broken.status, bool(broken.data["error"])) == (400, True)
    large = visitor.ask("POST", "/trainer/api/check", b'"' + b"a" * 4_100_000 + b'"', Content_Type="application/json")
    assert large.status == 413
    refused = visitor.post("projects/first/runs", {"step": "train", "config": {}})
    assert refused.status in (409, 422)
    assert refused.data["error"]


def test_other_sites_can_neither_write_nor_poke(webui):
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        plain = webui.visitor.ask("POST", "/trainer/api/projects", b'{"name": "evil"}', Content_Type=kind)
        assert plain.status == 415
    for told in ({"Sec_Fetch_Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        assert webui.visitor.get("projects", **told).status == 403
        assert webui.visitor.ask("POST", "/trainer/api/projects", {"name": "evil"}, **told).status == 403
    own = {"Origin": webui.visitor.address, "Sec_Fetch_Site": "same-origin"}
    assert webui.visitor.get("projects", **own).status == 200
    assert not (webui.home / "projects" / "evil").exists()


def test_the_program_itself_goes_on_working(webui):
    front = webui.visitor.get("/", Accept_Encoding="gzip")
    assert front.status == 200
    assert "gradio" in front.text
