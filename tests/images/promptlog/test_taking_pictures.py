import csv
import time
from dataclasses import replace
from itertools import pairwise

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("duckdb")
pytest.importorskip("PIL")

from benchmarks.lying_server import MANNERS, NEVER, LyingServer, manner, picture  # noqa: E402
from benchmarks.prompt_log_maker import FILTERS, make_log  # noqa: E402
from lib_trainer.core.configs import load  # noqa: E402
from lib_trainer.core.errors import ConfigError, DataError, OutputError  # noqa: E402
from lib_trainer.core.events import Notice  # noqa: E402
from lib_trainer.core.file_lock import file_lock  # noqa: E402
from lib_trainer.images.promptlog import many, pictures, taking  # noqa: E402
from lib_trainer.images.promptlog.addresses import VARIABLE  # noqa: E402
from lib_trainer.images.promptlog.fetching import Fetcher, Part  # noqa: E402
from lib_trainer.images.promptlog.ledger import Ledger  # noqa: E402
from lib_trainer.images.promptlog.options import (  # noqa: E402
    DownloadOptions,
    LogCaptions,
    LogFilters,
    PromptLogOptions,
)  # fmt: skip
from lib_trainer.images.promptlog.outcomes import TryLater  # noqa: E402
from lib_trainer.images.promptlog.promptlog import promptlog  # noqa: E402
from lib_trainer.images.promptlog.selection import Wanted  # noqa: E402

QUICK = DownloadOptions(patience=0.3, attempts=3, most_mb=1.0)


@pytest.fixture(autouse=True)
def _soon_again(monkeypatch):
    monkeypatch.setattr(many, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(many, "LOOK_SECONDS", 0.01)


@pytest.fixture(scope="module")
def server():
    with LyingServer() as server:
        yield server


@pytest.fixture
def options(log_file, tmp_path, monkeypatch, server):
    """`options(paths)`: a log of one message for each path on the server, all of them to be downloaded."""
    monkeypatch.setenv(VARIABLE, server.url.removeprefix("http://"))
    server.asked.clear()

    def made(paths, **more):
        rows = [["1", "ann", "2023-05-01", f"**picture {n} --v 5** - <@1>", f"{server.url}{path}", ""]
                for n, path in enumerate(paths)]  # fmt: skip
        config = {"pictures": "download", "output": tmp_path / "out", "download": QUICK, **more}
        return PromptLogOptions(files=(log_file(rows),), **config)

    return made


def link_with(kind, number=0):
    """A path at which the server behaves so."""
    found = (f"/{n}.png" for n in range(10**6) if manner(f"/{n}.png") == kind)
    return [next(found) for _ in range(number + 1)][number]


def made(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if not path.name.startswith(".")}


def left_out(run):
    with (run.path / "left-out.csv").open(encoding="utf-8", newline="") as file:
        return [reason for _, reason in list(csv.reader(file))[1:]]


@pytest.mark.option("PromptLogOptions.pictures", "PromptLogOptions.output", "PromptLogOptions.download")
def test_pictures_are_downloaded_with_their_captions(options, run, tmp_path):
    result = promptlog(options(["/plain/my%20cat.png", "/plain/b.png"]), run)
    assert (result["taken"], result["left_out"], result["folder"]) == (2, 0, str(tmp_path / "out"))
    files = made(tmp_path / "out")
    assert [name.rsplit("-", 1)[0] for name in files] == ["b", "b", "my_cat", "my_cat", "sources.csv"]
    assert sorted(files.values()) == sorted(
        [picture("/plain/my%20cat.png"), picture("/plain/b.png"), b"picture 0", b"picture 1", files["sources.csv"]]
    )
    assert not (tmp_path / "out" / ".parts").exists()


@pytest.mark.parametrize("kind", sorted(set(MANNERS.values()) - NEVER))
def test_a_server_that_fails_once_gives_the_whole_picture_in_the_end(options, run, tmp_path, kind):
    path = link_with(kind)
    assert promptlog(options([path]), run)["taken"] == 1
    expected = picture(f"/plain{path}" if kind == "redirect" else path)
    assert expected in made(tmp_path / "out").values()


@pytest.mark.parametrize(("kind", "reason"), [
    ("dead", "dead (404)"), ("html", "text/html, not a picture"), ("html as picture", "HTML, not a picture"),
    ("empty", "empty"), ("truncated", "truncated or damaged"), ("redirect without end", "without end"),
    ("into the network", "private network"), ("too large", "larger than 1 MB"), ("endless", "larger than 1 MB"),
    ("forbidden", "answers 403"), ("packed", "packed"), ("json", "JSON, not a picture"),
])  # fmt: skip
def test_what_is_no_picture_is_left_out_and_the_rest_goes_on(options, run, tmp_path, kind, reason):
    result = promptlog(options([link_with(kind), "/plain/b.png"]), run)
    assert (result["taken"], result["left_out"]) == (1, 1)
    (said,) = left_out(run)
    assert reason in said
    assert len(made(tmp_path / "out")) == 3


def test_without_the_exception_nothing_is_asked_of_a_private_network(options, run, server, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    assert promptlog(options(["/plain/a.png"]), run)["left_out"] == 1
    assert left_out(run) == ["it lies in a private network"]
    assert not server.asked


@pytest.mark.parametrize("link", ["file:///etc/passwd", "ftp://h/a.png", "../../etc/passwd", "http://", "http://[/a.png"])
def test_links_that_are_no_web_address_are_left_out(log_file, run, tmp_path, link):
    path = log_file([["1", "ann", "", "**a**", link, ""]])
    result = promptlog(PromptLogOptions(files=(path,), pictures="download", output=tmp_path / "out"), run)
    assert (result["taken"], result["left_out"]) == (0, 1)
    assert made(tmp_path / "out").keys() == {"sources.csv"}


@pytest.mark.option("PromptLogOptions.output")
def test_pictures_go_beside_the_first_file_unless_told_otherwise(options, run, tmp_path):
    promptlog(options(["/plain/a.png"], output=None), run)
    assert len(made(tmp_path / "log-pictures")) == 3


@pytest.mark.option("PromptLogOptions.most")
def test_only_the_first_pictures_are_taken(options, run, tmp_path):
    assert promptlog(options([f"/plain/{n}.png" for n in range(5)], most=2), run)["taken"] == 2
    assert {b"picture 0", b"picture 1"} < set(made(tmp_path / "out").values())


@pytest.mark.option(
    "PromptLogOptions.captions", "LogCaptions.keep_parameters", "LogCaptions.keep_mentions", "LogCaptions.keep_links",
    "LogCaptions.keep_weights",
)
@pytest.mark.parametrize(("kept", "caption"), [
    ({}, "a cat"),
    ({"keep_parameters": True}, "a cat --v 5"),
    ({"keep_mentions": True}, "a <@7> cat"),
    ({"keep_links": True}, "a cat http://x.y/z"),
    ({"keep_weights": True}, "a cat::2"),
])  # fmt: skip
def test_captions_keep_what_they_are_told_to(log_file, options, run, tmp_path, server, kept, caption):
    config = options([], captions=LogCaptions(**kept))
    log_file([["1", "ann", "", "**a <@7> cat::2 http://x.y/z --v 5**", f"{server.url}/plain/a.png", ""]])
    promptlog(config, run)
    (text,) = (tmp_path / "out").glob("*.txt")
    assert text.read_text(encoding="utf-8") == caption


def test_a_second_run_asks_for_nothing_that_is_there(options, run, tmp_path, server):
    config = options([f"/plain/{n}.png" for n in range(5)])
    promptlog(config, run)
    before = made(tmp_path / "out")
    server.asked.clear()
    result = promptlog(config, run)
    assert (result["taken"], result["known"], sum(server.asked.values())) == (0, 5, 0)
    assert made(tmp_path / "out") == before
    next((tmp_path / "out").glob("3-*.png")).unlink()
    assert promptlog(config, run)["taken"] == 1
    assert made(tmp_path / "out") == before


def test_captions_that_somebody_changed_stay_and_others_follow_the_options(options, run, tmp_path):
    config = options(["/plain/a.png", "/plain/b.png"])
    promptlog(config, run)
    mine, other = sorted((tmp_path / "out").glob("*.txt"))
    mine.write_text("mine", encoding="utf-8")
    promptlog(replace(config, captions=LogCaptions(keep_parameters=True)), run)
    assert mine.read_text(encoding="utf-8") == "mine"
    assert other.read_text(encoding="utf-8") == "picture 1 --v 5"
    said = [event.message for event in run.events_after(0)[0] if isinstance(event, Notice)]
    assert any(message.startswith("1 captions in") for message in said)


def test_a_run_that_is_killed_between_a_picture_and_its_record_ends_with_the_same_files(
    options, run, tmp_path, monkeypatch
):
    config = options(["/plain/a.png", link_with("breaks once")], download=replace(QUICK, at_once=1))

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(taking.Ledger, "add", killed)
        with pytest.raises(Killed):
            promptlog(config, run)
    assert sum(name.endswith(".png") for name in made(tmp_path / "out")) == 1
    (tmp_path / "out" / "a.txt.123-45.tmp").write_text("half of a cap")
    assert promptlog(config, run)["taken"] == 2
    assert len(made(tmp_path / "out")) == 5


def test_a_part_that_was_left_is_gone_on_with_by_another_process(tmp_path, server):
    path = link_with("breaks once", 1)
    part = Part("key", tmp_path / "part")
    server.asked.clear()
    server.ranges.clear()

    def fetch():
        ledger = Ledger(tmp_path)
        try:
            host = frozenset([server.url.removeprefix("http://")])
            Fetcher(QUICK, ledger, host, should_stop=lambda: False).fetch(server.url + path, part)
        finally:
            ledger.close()

    with pytest.raises(TryLater, match="broke off"):
        fetch()
    half = len(picture(path)) // 2
    assert part.path.read_bytes() == picture(path)[:half]
    fetch()
    assert part.path.read_bytes() == picture(path)
    assert server.ranges == [f"bytes={half}-"]


def test_a_request_to_stop_leaves_the_rest_for_another_time(options, run, tmp_path):
    config = options(["/plain/a.png"])
    promptlog(replace(config, pictures="count"), run)
    run.request("stop")
    assert promptlog(config, run)["taken"] == 0
    run.take_request("stop")
    assert promptlog(config, run)["taken"] == 1


@pytest.mark.option("PromptLogOptions.folder")
def test_pictures_are_found_in_a_folder_by_their_names(log_file, run, tmp_path):
    folder = tmp_path / "mine"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "A Cat.PNG").write_bytes(picture("a"))
    (folder / "broken.png").write_bytes(picture("b")[:-30])
    links = ["https://cdn.x/1/a%20cat.png?ex=1", "media/broken.png", "https://cdn.x/other.png"]
    path = log_file([["1", "ann", "", f"**p {n}**", link, ""] for n, link in enumerate(links)])
    options = PromptLogOptions(files=(path,), pictures="folder", folder=folder, output=tmp_path / "out", download=QUICK)
    result = promptlog(options, run)
    assert (result["taken"], result["left_out"]) == (1, 2)
    assert sorted(left_out(run)) == ["it is truncated or damaged", "no file of its name is in the folder"]
    assert [value for name, value in made(tmp_path / "out").items() if name != "sources.csv"] == [picture("a"), b"p 0"]
    assert len(list(folder.rglob("*.*"))) == 2


@pytest.mark.option("DownloadOptions.shortest_side")
def test_small_pictures_are_left_out(options, run):
    config = options(["/plain/a.png"])
    assert promptlog(replace(config, download=replace(QUICK, shortest_side=81)), run)["left_out"] == 1
    assert left_out(run) == ["a side is shorter than 81 px"]
    assert promptlog(replace(config, download=replace(QUICK, shortest_side=80)), run)["taken"] == 1


@pytest.mark.option("DownloadOptions.most_mb")
def test_large_files_are_left_out(options, run):
    config = options(["/plain/a.png"])
    size = len(picture("/plain/a.png")) / 1e6
    assert promptlog(replace(config, download=replace(QUICK, most_mb=size * 0.99)), run)["left_out"] == 1
    assert promptlog(replace(config, download=replace(QUICK, most_mb=size * 1.01)), run)["taken"] == 1


@pytest.mark.option("DownloadOptions.attempts")
def test_a_picture_is_asked_for_so_often(options, run, server):
    path = link_with("truncated")
    promptlog(options([path], download=replace(QUICK, attempts=2)), run)
    assert server.asked[path] == 2


@pytest.mark.option("DownloadOptions.patience")
def test_a_stalling_server_is_left_when_patience_ends(options, run, server):
    path = link_with("stalls once", 2)
    patient = replace(QUICK, patience=30.0, attempts=1)
    assert promptlog(options([path], download=replace(QUICK, attempts=1)), run)["taken"] == 0
    assert left_out(run) == ["its server sends nothing"]
    assert promptlog(options([path], download=patient), run)["taken"] == 1


@pytest.mark.option("DownloadOptions.at_once", "DownloadOptions.per_host")
@pytest.mark.parametrize(("at_once", "per_host", "most"), [(4, 1, 1), (2, 4, 2), (1, 4, 1)])
def test_no_server_is_asked_for_more_at_once(options, run, server, monkeypatch, at_once, per_host, most):
    monkeypatch.setattr(server, "hold", 0.05)
    server.most_at_once = 0
    download = replace(QUICK, at_once=at_once, per_host=per_host)
    assert promptlog(options([f"/plain/{n}.png" for n in range(6)], download=download), run)["taken"] == 6
    assert server.most_at_once <= most


@pytest.mark.option("DownloadOptions.pause")
def test_requests_to_one_server_keep_their_distance(options, run, server, monkeypatch):
    began = []
    take = many._Host.next

    def noted(self, now, options):
        task = take(self, now, options)
        if task:
            began.append(now)
        return task

    monkeypatch.setattr(many._Host, "next", noted)
    promptlog(options([f"/plain/{n}.png" for n in range(3)], download=replace(QUICK, pause=0.1)), run)
    assert len(began) == 3
    assert min(later - earlier for earlier, later in pairwise(began)) >= 0.1


def test_a_folder_is_for_one_run_at_a_time(options, run, tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "LOCK_SECONDS", 0.1)
    (tmp_path / "out").mkdir()
    with file_lock(tmp_path / "out" / pictures.LOCK, 1), pytest.raises(OutputError, match="Another run"):
        promptlog(options(["/plain/a.png"]), run)


def test_options_of_pictures_that_cannot_be_are_refused(log_file, run, tmp_path):
    path = log_file(["**a**"])
    with pytest.raises(ConfigError, match="'folder' is empty"):
        promptlog(PromptLogOptions(files=(path,), pictures="folder"), run)
    with pytest.raises(DataError, match="overlaps with 'folder'"):
        options = PromptLogOptions(files=(path,), pictures="folder", folder=tmp_path, output=tmp_path / "out")
        promptlog(options, run)


def test_a_log_of_known_contents_gives_the_true_counts_and_pictures(tmp_path, run, monkeypatch, server):
    monkeypatch.setenv(VARIABLE, server.url.removeprefix("http://"))
    server.asked.clear()
    files, truth = make_log(tmp_path, 3000, server.url)
    filters = load(LogFilters, FILTERS)
    download = replace(QUICK, attempts=6, at_once=16, per_host=16)
    options = PromptLogOptions(
        files=tuple(files), filters=filters, pictures="download", output=tmp_path / "out", download=download, most=20
    )
    result = promptlog(options, run)
    (table,) = [event for event in run.events_after(0)[0] if getattr(event, "title", "") == "What the filters leave"]
    assert [int(row[1]) for row in table.rows[1:-1]] == truth.counts
    assert (result["rejected"], result["pictures"]) == (truth.rejects.total(), len(truth.links))
    wanted = truth.links[:20]
    can_be_had = [link for link in wanted if manner(link.removeprefix(server.url)) not in NEVER]
    assert (result["taken"], result["left_out"]) == (len(can_be_had), len(wanted) - len(can_be_had))


def test_more_pictures_than_are_kept_in_view_are_all_tried_again(monkeypatch):
    monkeypatch.setattr(many, "WINDOW", 4)
    asked = []

    def take(wanted):
        time.sleep(0.03)  # longer than is waited before the next ones are put in line
        asked.append(wanted.place)
        if asked.count(wanted.place) == 1:
            raise TryLater("busy")
        return taking.Taken(f"{wanted.place}.png", is_new=True, caption_kept=False)

    wanted = iter([Wanted(place, f"http://127.0.0.1/{place}", "") for place in range(20)])
    outcomes = list(many.take_all(wanted, take, DownloadOptions(at_once=3, per_host=3), lambda: False))
    assert sorted(outcome.taken.file for outcome in outcomes) == sorted(f"{place}.png" for place in range(20))
    assert sorted(asked) == sorted([*range(20), *range(20)])
