"""Hostile inputs to the steps of the studio, through the real command line: each is told, and breaks nothing.

`python3 tests -s tests/images/test_hostile_pictures.py` prints the table: input, and what was said.
"""

from __future__ import annotations

import json
import re
import shlex
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.images.hostile.captioning import ATTEMPTS as CAPTIONING
from tests.images.hostile.importing import ATTEMPTS as IMPORTING
from tests.images.hostile.looking import ATTEMPTS as LOOKING
from tests.images.hostile.prompt_logs import ATTEMPTS as PROMPT_LOGS
from tests.images.hostile.rewording import ATTEMPTS as REWORDING
from tests.test_bad_input import make_engine_ready, run_command

pytestmark = pytest.mark.engine

ATTEMPTS = {**IMPORTING, **PROMPT_LOGS, **LOOKING, **CAPTIONING, **REWORDING}
ROWS = [(name, what) for name, attempt in ATTEMPTS.items() for what in attempt.said]
AT_ONCE = 2  # commands
LONG_RUN = re.compile(r"(.)\1{40,}")


class Done:
    """A command that has ended: what it said, and what lay in its place before and after."""

    def __init__(self, place, attempt, data):
        place.mkdir()
        attempt.build(place)
        self.place, self.attempt = place, attempt
        self.before = files_in(place)
        words = [word.replace("PLACE", str(place)) for word in shlex.split(attempt.command)]
        self.process = run_command([*words, "--run", place / "run"], data)
        self.after = files_in(place)
        self.sentences = [*said_in(place / "run"), *self.process.stderr.splitlines()]

    def sentence(self, words):
        """The first sentence with these words in this order."""
        pattern = re.compile(".*?".join(re.escape(word.replace("PLACE", str(self.place))) for word in words), re.DOTALL)
        return next((said for said in self.sentences if pattern.search(said)), "")


def files_in(folder):
    """Every file's bytes; links are not followed."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and "again" not in path.parts:
            found[path.relative_to(folder).as_posix()] = path.read_bytes()
    return found


def said_in(run):
    """All sentences that a run said: its notices, the rows of its tables, its findings, and why it ended."""
    said = []
    lines = (run / "events.jsonl").read_text(encoding="utf-8").splitlines() if (run / "events.jsonl").exists() else []
    for event in map(json.loads, lines):
        said += [event["message"]] if "message" in event else []
        said += [": ".join(row) for row in event.get("rows", [])] if event["event"] == "table" else []
    findings = run / "findings.json"
    told = json.loads(findings.read_text(encoding="utf-8")) if findings.exists() else []
    return said + [f"{finding['sentence']} {' '.join(finding['files'])}" for finding in told]


@pytest.fixture(scope="module")
def done(request, tmp_path_factory):
    """Every attempt that a chosen test looks at, made once."""
    pytest.importorskip("torch")
    data, root = tmp_path_factory.mktemp("data"), tmp_path_factory.mktemp("hostile")
    make_engine_ready(data)
    parameters = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    wanted = [name for name in ATTEMPTS if any(told.get("name") == name for told in parameters)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        places = ((root / name.replace(" ", "-"), ATTEMPTS[name], data) for name in wanted)
        made = dict(zip(wanted, pool.map(lambda told: Done(*told), places), strict=True))
    assert sorted(path.name for path in root.iterdir()) == sorted(name.replace(" ", "-") for name in wanted)
    return made


@pytest.mark.parametrize(("name", "what"), ROWS, ids=[what for _, what in ROWS])
def test_what_is_said_of_a_hostile_input(done, name, what):
    ended = done[name]
    sentence = ended.sentence(ended.attempt.said[what])
    shown = sentence.replace(str(ended.place), "…").removeprefix("Error: ")
    step, shown = ended.attempt.command.split()[0], LONG_RUN.sub(r"\1…", shown)
    print(f"\n{what}\n    {step}: {shown[:200]}", end="")
    assert sentence, ended.sentences


@pytest.mark.parametrize("name", ATTEMPTS)
def test_a_command_on_hostile_inputs_ends_well_or_with_one_sentence(done, name):
    process = done[name].process
    assert "Traceback" not in process.stdout + process.stderr
    errors = [line for line in process.stderr.splitlines() if line.startswith("Error: ")]
    assert (process.returncode, len(errors)) == ((2, 1) if done[name].attempt.fails else (0, 0)), process.stderr


@pytest.mark.parametrize("name", ATTEMPTS)
def test_nothing_is_lost_and_nothing_lies_where_it_should_not(done, name):
    ended = done[name]
    kept = {file: content for file, content in ended.after.items() if file.split("/")[0] not in ended.attempt.changes}
    assert kept == ended.before
    assert not [file for file in ended.after if file.endswith(".tmp") or "/.incoming" in file]
    made = sorted(re.sub("x{50,}.*png", "x…png", file[4:]) for file in ended.after if file.startswith("out/"))
    assert ended.attempt.made is None or made == sorted(ended.attempt.made)


def test_the_table_is_as_long_as_was_asked():
    assert len(ROWS) >= 60
