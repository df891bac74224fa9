"""The command line, with a stand-in for the engine's packages where a test needs none of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lib_trainer import __version__
from lib_trainer.cli import main, parser, step_config
from lib_trainer.core.errors import ConfigError
from lib_trainer.core.events import Finished, Notice, Started, Stopped
from lib_trainer.core.run_directory import REQUESTS, RunDirectory
from lib_trainer.jobs.follow import follow
from lib_trainer.steps import STEPS

ROOT = Path(__file__).parents[1]


@pytest.fixture
def with_engine(engine, monkeypatch):
    """`with_engine(lines)`: from now on the engine is the real worker with these lines as the step `prepare`."""

    def made(lines):
        python = engine(lines)
        monkeypatch.setattr("lib_trainer.cli.ensure_engine", lambda options, home, show: python)
        return python

    return made


def config_of(*arguments):
    return step_config(parser().parse_args(arguments))


def test_every_step_has_a_command(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for name in (*STEPS, "demo", "setup", "resume", "follow", *REQUESTS):
        assert any(f"\n    {name}{end}" in shown for end in " \n")  # a long name has a line of its own


def test_the_version_is_said(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


def test_a_step_runs_and_its_result_is_the_last_line(with_engine, tmp_path, capsys):
    with_engine("run.append(Notice('at work')); return {'width': options.width, 'folder': str(options.folder)}")
    code = main(["prepare", "--folder", str(tmp_path / "ü"), "--width", "64", "--run", str(tmp_path / "run"), "--json"])
    shown = capsys.readouterr()
    assert code == 0
    assert json.loads(shown.out.splitlines()[-1]) == {"width": 64, "folder": str(tmp_path / "ü")}
    assert f"Run folder: {tmp_path / 'run'}" in shown.err
    assert "at work" in shown.err
    assert shown.err.rstrip().endswith("Done.")


def test_without_json_nothing_is_printed_but_to_the_error_stream(with_engine, tmp_path, capsys):
    with_engine("return {'a': 1}")
    assert main(["prepare", "--folder", str(tmp_path)]) == 0
    assert capsys.readouterr().out == ""


def test_an_error_in_the_engine_is_one_sentence_and_exit_code_2(with_engine, tmp_path, capsys):
    with_engine("raise DataError('There is no picture; add one.')")
    assert main(["prepare", "--folder", str(tmp_path)]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == "Error: There is no picture; add one."


def test_a_bug_in_the_engine_shows_its_traceback_and_exit_code_1(with_engine, tmp_path, capsys):
    with_engine("raise ZeroDivisionError('a bug')")
    assert main(["prepare", "--folder", str(tmp_path)]) == 1
    assert "Error: ZeroDivisionError: a bug\nTraceback" in capsys.readouterr().err


def test_a_wrong_option_stops_before_anything_starts(with_engine, tmp_path, capsys):
    with_engine("return {}")
    assert main(["prepare", "--folder", str(tmp_path), "--width", "1", "--run", str(tmp_path / "run")]) == 2
    assert capsys.readouterr().err == "Error: 'width' is 1; it must be 8 to 8192 px.\n"
    assert not (tmp_path / "run").exists()


def test_flags_win_over_the_recipe_and_it_over_the_preset(tmp_path):
    recipe = tmp_path / "mine.json"
    recipe.write_text(json.dumps({
        "model": "/m", "dataset": {"folder": "/p", "repeats": 7}, "epochs": 3, "trainable": {"rank": 5},
    }), encoding="utf-8")  # fmt: skip
    config = config_of("train", "--preset", "style", "--config", str(recipe), "--epochs", "2")
    assert config["epochs"] == 2
    assert config["dataset"]["repeats"] == 7
    assert config["trainable"]["rank"] == 5
    assert config["trainable"]["alpha"] == 16
    assert config["schedule"]["type"] == "cosine"
    assert config["clip_skip"] == 1


def test_another_type_by_flag_drops_what_the_preset_said_of_the_old_one():
    given = ("--model", "/m", "--dataset.folder", "/p")
    assert config_of("train", "--preset", "style", "--schedule", "constant", *given)["schedule"]["warmup"] == 0
    assert config_of("train", "--preset", "style", "--schedule", "cosine", *given)["schedule"]["warmup"] == 100


def test_the_job_of_an_earlier_run_is_a_recipe(tmp_path):
    config = config_of("prepare", "--folder", "/p", "--width", "64")
    run = RunDirectory(tmp_path / "run")
    run.create("prepare", config)
    assert config_of("prepare", "--config", str(run.job_file), "--height", "32") == {**config, "height": 32}


def test_a_plan_takes_the_recipes_and_presets_of_the_training(tmp_path):
    given = ["--model", "/m.safetensors", "--dataset.folder", "/p"]
    config = config_of("train", "--preset", "style", *given)
    assert config_of("plan", "--preset", "style", *given) == config
    run = RunDirectory(tmp_path / "run")
    run.create("train", config)
    assert config_of("plan", "--config", str(run.job_file)) == config
    with pytest.raises(ConfigError, match="for the step 'train'"):
        config_of("inspect", "--config", str(run.job_file))


def test_a_step_says_what_it_does_where_its_options_do_not():
    assert STEPS["plan"].options is STEPS["train"].options
    assert STEPS["plan"].help.startswith("Say what a training would do")
    assert STEPS["train"].help == "Train a network on a folder of pictures."


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"step": "train", "config": {}}, "is for the step 'train'; run it with that command"),
        ({"step": "prepare", "config": [1]}, "it must be a table of options"),
        ({"fodler": "/p"}, "Unknown option 'fodler' ('/p'). Did you mean 'folder'?"),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(tmp_path, recipe, said):
    (tmp_path / "a.json").write_text(json.dumps(recipe), encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        config_of("prepare", "--config", str(tmp_path / "a.json"))
    assert said in str(error.value)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 has no TOML reader")
def test_a_recipe_may_be_toml(tmp_path):
    (tmp_path / "a.toml").write_text('folder = "/p"\n[buckets]\nresolution = 128\n', encoding="utf-8")
    assert config_of("prepare", "--config", str(tmp_path / "a.toml"))["buckets"]["resolution"] == 128


def test_an_unknown_preset_is_refused():
    with pytest.raises(ConfigError, match="Unknown preset 'styl' for train"):
        config_of("train", "--preset", "styl")


def test_a_stopped_run_goes_on_with_resume_and_shows_only_what_is_new(with_engine, tmp_path, capsys):
    with_engine("""
        again = (run.path / 'began').exists()
        (run.path / 'began').touch()
        run.append(Notice('the second time' if again else 'the first time'))
        if not again: run.request('stop')
        return {'again': again}
    """)
    assert main(["prepare", "--folder", str(tmp_path), "--run", str(tmp_path / "run")]) == 130
    assert "Stopped; it can be resumed." in capsys.readouterr().err
    assert main(["resume", str(tmp_path / "run"), "--json"]) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"again": True}
    assert "the second time" in shown.err
    assert "the first time" not in shown.err


def test_follow_shows_a_run_from_its_beginning(tmp_path, capsys):
    run = RunDirectory(tmp_path / "run")
    run.create("prepare", {})
    for event in (Started("prepare", 1), Notice("at work"), Finished({})):
        run.append(event)
    assert main(["follow", str(run.path)]) == 0
    assert capsys.readouterr().err == "at work\nDone.\n"


@pytest.mark.parametrize("request_name", REQUESTS)
def test_requests_reach_the_run(tmp_path, request_name):
    run = RunDirectory(tmp_path / "run")
    run.create("prepare", {})
    assert main([request_name, str(run.path)]) == 0
    assert run.take_request(request_name)


@pytest.mark.parametrize("command", ["resume", "follow", *REQUESTS])
def test_a_folder_that_is_no_run_is_refused(tmp_path, command, capsys):
    assert main([command, str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not a run" in capsys.readouterr().err
    assert not (tmp_path / "nowhere").exists()


def test_a_run_can_be_stopped_from_elsewhere(with_engine, tmp_path):
    with_engine("while not run.stop_requested(): time.sleep(0.02)")
    folder = tmp_path / "run"

    def stop():
        end = time.monotonic() + 30
        while not (folder / "events.jsonl").exists() and time.monotonic() < end:
            time.sleep(0.02)
        main(["stop", str(folder)])

    elsewhere = threading.Thread(target=stop)
    elsewhere.start()
    assert main(["prepare", "--folder", str(tmp_path), "--run", str(folder)]) == 130
    elsewhere.join()


def test_an_existing_run_folder_is_refused(with_engine, tmp_path, capsys):
    with_engine("return {}")
    arguments = ["prepare", "--folder", str(tmp_path), "--run", str(tmp_path / "run")]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "already holds a run" in capsys.readouterr().err


HOST = """
import sys
from pathlib import Path
import lib_trainer.cli
lib_trainer.cli.ensure_engine = lambda options, home, show: Path(sys.argv[1])
sys.exit(lib_trainer.cli.main(sys.argv[2:]))
"""


@pytest.fixture
def host(tmp_path):
    """`host(python, *arguments)`: the command line as a process, with that engine."""
    started = []

    def start(python, *arguments):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", HOST, python, *arguments]
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stderr.close()


def test_ctrl_c_in_the_terminal_stops_the_run_and_keeps_it(engine, host, tmp_path):
    python = engine("run.append(Notice('at work'))\nwhile not run.stop_requested(): time.sleep(0.02)")
    process = host(python, "prepare", "--folder", "p", "--run", "run")
    while "at work" not in process.stderr.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    rest = process.stderr.read()
    assert process.wait(timeout=30) == 130
    assert "Stopping after this step." in rest
    assert rest.endswith("Stopped; it can be resumed.\n")
    assert "Traceback" not in rest


def test_a_second_ctrl_c_leaves_the_engine_at_its_work(engine, host, tmp_path):
    python = engine("run.append(Notice('at work')); time.sleep(2)")
    process = host(python, "prepare", "--folder", "p", "--run", "run")
    for words in ("at work", "Press Ctrl-C again"):
        while words not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
    assert process.stderr.read() == "Stopped.\n"
    assert process.wait(timeout=30) == 130
    run = RunDirectory(tmp_path / "run")
    assert not isinstance(run.events_after(0)[0][-1], Stopped), "the engine had not ended yet"
    assert isinstance(list(follow(run))[-1], Stopped)
