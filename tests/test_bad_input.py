"""Bad input, through the real command line and engine: one sentence with thing, value and cure, and nothing broken.

`python3 tests -s tests/test_bad_input.py` prints the table.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.engine

ROOT = Path(__file__).parents[1]
NO_NETWORK = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "1",
    "PIP_TIMEOUT": "5",
    "PIP_FIND_LINKS": "",
    "PIP_EXTRA_INDEX_URL": "",
}
# Runs a command with a small disk at $0, which is filled when $1 exists and emptied when $2 does.
ON_A_SMALL_DISK = """
folder=$0; fill=$1; room=$2; shift 2
mount -t tmpfs -o size=24m tmpfs "$folder" || exit 99
wait_for() { while [ ! -e "$1" ] && [ ! -e "$folder/over" ]; do sleep 0.05; done; }
filling() {
    wait_for "$fill"; dd if=/dev/zero of="$folder/filler" bs=4k 2>/dev/null; echo "The disk is filled." >&2
    wait_for "$room"; rm -f "$folder/filler"
}
filling &
[ ! -e "$fill" ] || while [ ! -s "$folder/filler" ]; do sleep 0.05; done
"$@"; code=$?
rm -f "$folder/filler"; touch "$folder/over"; wait
find "$folder" -type f
exit $code
"""


def make_engine_ready(data):
    """Take this Python, which has the packages, for the engine's."""
    command = [sys.executable, "-m", "lib_trainer", "setup", "--python", sys.executable]
    environment = {**os.environ, "LIB_TRAINER_DATA": str(data)}
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The trainer's data, with an engine that is ready."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("data")
    make_engine_ready(folder)
    return folder


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A good checkpoint, very small."""
    pytest.importorskip("torch")
    from tests.models.miniature import miniature_checkpoint

    return miniature_checkpoint(tmp_path_factory.mktemp("models") / "good.safetensors")


@pytest.fixture
def place(tmp_path, checkpoint):
    """A folder with pictures, broken pictures and models, as `PLACE` in the table."""
    from PIL import Image

    for name in ("good", "broken", "empty"):
        (tmp_path / name).mkdir()
    Image.new("RGB", (64, 64), "red").save(tmp_path / "good" / "red.png")
    whole = (tmp_path / "good" / "red.png").read_bytes()
    (tmp_path / "broken" / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "broken" / "nothing.jpg").write_bytes(b"")
    (tmp_path / "broken" / "text.webp").write_text("no picture", encoding="utf-8")
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    (tmp_path / "recipe.json").write_text(json.dumps({"folder": str(tmp_path / "good"), "widht": 64}), encoding="utf-8")
    (tmp_path / "broken.json").write_text('{"folder": ', encoding="utf-8")
    shutil.copy(checkpoint, tmp_path / "model.safetensors")
    make_bad_models(tmp_path, checkpoint)
    return tmp_path


def make_bad_models(folder, checkpoint):
    import torch
    from safetensors.torch import save_file

    some = torch.zeros(4, 4)
    (folder / "cut.safetensors").write_bytes(checkpoint.read_bytes()[:-1000])
    (folder / "cut-header.safetensors").write_bytes(checkpoint.read_bytes()[:1000])
    (folder / "empty.safetensors").write_bytes(b"")
    (folder / "page.safetensors").write_text("<!DOCTYPE html><title>Sign in</title>" + "x" * 999, encoding="utf-8")
    unknown = {f"blocks.{index}.mix.weight": some.clone() for index in range(4)}
    save_file(unknown, folder / "unknown.safetensors")
    xl = {"conditioner.embedders.0.transformer.text_model.embeddings.token_embedding.weight": some,
          "model.diffusion_model.input_blocks.0.0.weight": torch.zeros(8, 4, 3, 3)}  # fmt: skip
    save_file(xl, folder / "xl.safetensors")
    save_file({"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight": some}, folder / "lora.safetensors")
    torch.save({"state_dict": unknown}, folder / "unknown.ckpt")
    (folder / "code.ckpt").write_bytes(pickle.dumps(RunsCode(folder / "the code was run")))
    (folder / "model.gguf").write_bytes(b"GGUF")


class RunsCode:
    """What a malicious pickle does: unpickling it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def run_command(arguments, data, prefix=(), **settings):
    """Run the command line as a user does; returns the finished process."""
    environment = {**os.environ, "LIB_TRAINER_DATA": str(data), **settings}
    command = [*prefix, sys.executable, "-m", "lib_trainer", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def sentence_of(done):
    """The one sentence of a command that failed as it should."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert line.endswith((".", "?")), "it is a sentence"
    return line.removeprefix("Error: ")


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


TRAIN = "train --dataset.folder PLACE/good --dataset.buckets.resolution 64 --dataset.buckets.step 8 --max-steps 1"
TABLE = {
    "missing folder": ("prepare --folder PLACE/nowhere", "PLACE/nowhere does not exist", "check its path"),
    "missing folder, training": (
        "train --model PLACE/model.safetensors --dataset.folder PLACE/nowhere", "PLACE/nowhere does not exist", "check",
    ),
    "empty folder": ("prepare --folder PLACE/empty", "PLACE/empty", "JPEG, PNG"),
    "a file for a folder": ("prepare --folder PLACE/file", "PLACE/file is a file", "give the folder"),
    "no readable picture": ("prepare --folder PLACE/broken", "PLACE/broken", "cut.png"),
    "unknown flag": ("prepare --fodler PLACE/good", "'--fodler' ('PLACE/good')", "Did you mean '--folder'?"),
    "unknown option in a recipe": ("prepare --config PLACE/recipe.json", "'widht' (64)", "Did you mean 'width'?"),
    "recipe that is cut off": ("prepare --config PLACE/broken.json", "PLACE/broken.json is not valid JSON", "line 1"),
    "missing recipe": ("prepare --config PLACE/no.json", "PLACE/no.json can't be read", "give a .json or .toml file"),
    "option that must be given": ("train --dataset.folder PLACE/good", "'model' is not given", "it must be a path"),
    "value out of bounds": ("prepare --folder PLACE/good --width 1", "'width' is 1", "it must be 8 to 8192 px"),
    "value of another kind": (f"{TRAIN} --model PLACE/model.safetensors --epochs many", "'epochs' is 'many'",
                              "it must be a whole number"),
    "unknown choice": (f"{TRAIN} --model PLACE/model.safetensors --optimizer adam", "'optimizer' is 'adam'",
                       "it must be one of adamw"),
    "options that contradict each other": (f"{TRAIN} --model PLACE/model.safetensors --learning-rate 0",
                                           "'learning_rate' is 0", "raise one"),
    "class pictures among those to learn": (
        f"{TRAIN} --model PLACE/model.safetensors --dataset.concepts class_prompt=cat class_folder=PLACE/good/cats",
        "PLACE/good/cats lies inside PLACE/good, the folder of the pictures to learn", "give class pictures a folder",
    ),
    "concept that is no table": (f"{TRAIN} --model PLACE/model.safetensors --dataset.concepts cat",
                                 "'--dataset.concepts' is given 'cat'", "write NAME=VALUE"),
    "no class pictures and none that can be drawn": (
        f"{TRAIN} --model PLACE/model.safetensors --prior.pictures 0 --dataset.concepts class_folder=PLACE/empty",
        "There is no class picture of concept 1 in PLACE/empty", "set 'prior.pictures'",
    ),
    "unknown preset": (f"{TRAIN} --model PLACE/model.safetensors --preset stile", "preset 'stile'",
                       "Did you mean 'style'?"),
    "missing checkpoint": (f"{TRAIN} --model PLACE/no.safetensors", "PLACE/no.safetensors does not exist", "check"),
    "file that is no checkpoint": (f"{TRAIN} --model PLACE/model.gguf", "PLACE/model.gguf ends in '.gguf'",
                                   ".safetensors"),
    "checkpoint of an unknown kind": (f"{TRAIN} --model PLACE/unknown.safetensors", "PLACE/unknown.safetensors",
                                      "an unknown kind of model", "Supported are"),
    "pickled checkpoint of an unknown kind": (f"{TRAIN} --model PLACE/unknown.ckpt", "PLACE/unknown.ckpt",
                                              "an unknown kind of model", "Supported are"),
    "checkpoint of an unsupported kind": (f"{TRAIN} --model PLACE/xl.safetensors", "PLACE/xl.safetensors",
                                          "Stable Diffusion XL", "Supported are"),
    "LoRA for a checkpoint": (f"{TRAIN} --model PLACE/lora.safetensors", "PLACE/lora.safetensors", "a LoRA",
                              "Supported are"),
    "folder that is no model": (f"{TRAIN} --model PLACE/good", "PLACE/good", "model"),
    "truncated safetensors": (f"{TRAIN} --model PLACE/cut.safetensors", "PLACE/cut.safetensors is cut off",
                              "Download or copy it again"),
    "safetensors cut in its header": (f"{TRAIN} --model PLACE/cut-header.safetensors",
                                      "PLACE/cut-header.safetensors is cut off", "Download or copy it again"),
    "empty safetensors": (f"{TRAIN} --model PLACE/empty.safetensors", "PLACE/empty.safetensors", "Download"),
    "web page for a checkpoint": (f"{TRAIN} --model PLACE/page.safetensors", "PLACE/page.safetensors", "Download"),
    "pickle with code in it": (f"{TRAIN} --model PLACE/code.ckpt", "PLACE/code.ckpt", "nothing of it was run",
                               "Use a .safetensors"),
    "unwritable output of prepare": ("prepare --folder PLACE/good --output PLACE/file/out", "PLACE/file", "output"),
    "unwritable output of train": (f"{TRAIN} --model PLACE/model.safetensors --saving.folder PLACE/file/out",
                                   "PLACE/file/out can't be written", "set 'saving.folder'"),
    "unwritable output of compare": (
        "compare --model PLACE/model.safetensors --networks PLACE/lora.safetensors --prompts cat --output PLACE/file/o",
        "PLACE/file/o", "choose another",
    ),
    "unwritable run folder": ("prepare --folder PLACE/good --run PLACE/file/run", "PLACE/file/run",
                              "choose another place"),
    "missing network of compare": (
        "compare --model PLACE/model.safetensors --networks PLACE/no.safetensors --output PLACE/out --prompts cat",
        "PLACE/no.safetensors", "check",
    ),
    "folder that is no run": ("resume PLACE/good", "PLACE/good is not a run", "job.json"),
    "no engine and no network allowed": ("setup --offline --renew", "'offline' forbids the network", "--wheels"),
    "engine that is no Python": ("setup --python PLACE/file", "PLACE/file", "name another"),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE)
def test_bad_input_is_one_sentence_and_breaks_nothing(name, place, data):
    command, *expected = TABLE[name]
    before = files_in(place)
    done = run_command([word.replace("PLACE", str(place)) for word in command.split()], data)
    sentence = sentence_of(done)
    print(f"\n{name}\n    {sentence.replace(str(place), '...')}", end="")
    for words in expected:
        assert words.replace("PLACE", str(place)) in sentence
    assert files_in(place) == before, "nothing is lost, nothing half-written is left"


def test_the_engine_says_what_is_wrong_with_a_picture_by_name(place, data):
    shutil.copy(place / "broken" / "cut.png", place / "good" / "cut.png")
    done = run_command(["prepare", "--folder", place / "good"], data)
    assert done.returncode == 0, done.stderr
    assert "cut.png" in done.stderr
    assert [path.name for path in (place / "good-prepared").glob("*.png")] == ["red.png"]


def test_without_a_network_the_setup_says_so_and_leaves_nothing_that_would_be_used(place, tmp_path_factory):
    home = tmp_path_factory.mktemp("new")
    done = run_command(["setup"], home, **NO_NETWORK)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    said = done.stderr[done.stderr.index("Error: ") :].splitlines()
    print(f"\nno network at set-up\n    {said[0]}", end="")
    assert "failed at pip" in said[0]
    assert "There is no network" in said[0]
    assert "--package-index" in said[0]
    again = run_command(["prepare", "--folder", place / "good", "--engine.offline"], home)
    assert "it must be done again" in sentence_of(again)


@pytest.fixture
def disk(tmp_path):
    """A folder on a small disk of its own, the words that run a command there, and two files that fill and empty it."""
    folder, fill, room = tmp_path / "disk", tmp_path / "fill it", tmp_path / "make room"
    folder.mkdir()
    script = [ON_A_SMALL_DISK, str(folder), str(fill), str(room)]
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", *script]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a small disk can't be made here")
    return folder, prefix, fill, room


@pytest.fixture
def started():
    """`started(command, settings)`: a process of the command line, ended after the test."""
    processes = []

    def start(command, **settings):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        environment = {**os.environ, **settings}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True, **pipes)
        processes.append(process)
        watchdog = threading.Timer(240, process.kill)
        watchdog.daemon = True
        watchdog.start()
        return process

    yield start
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def line_with(words, process):
    """The next line of a process that has these words."""
    said = []
    while not said or words not in said[-1]:
        said.append(process.stderr.readline())
        assert said[-1], f"it ended without {words!r}: {''.join(said)}"
    return said[-1].strip()


def test_a_full_disk_under_prepare_is_one_sentence_and_leaves_nothing_half_written(place, data, disk):
    folder, prefix, fill, _ = disk
    fill.touch()
    done = run_command(["prepare", "--folder", place / "good", "--output", folder / "out"], data, prefix)
    sentence = sentence_of(done)
    print(f"\nfull disk, prepare\n    {sentence.replace(str(place), '...')}", end="")
    assert str(folder) in sentence
    assert "No space left on device" in sentence
    assert "make room" in sentence
    assert ".tmp" not in done.stdout


def test_a_disk_that_is_full_when_the_network_is_saved_is_waited_for(place, data, disk, started):
    folder, prefix, fill, room = disk
    fill.touch()
    arguments = TRAIN.replace("PLACE", str(place)).split()
    places = ["--model", str(place / "model.safetensors"), "--saving.folder", str(folder)]
    command = [*prefix, sys.executable, "-m", "lib_trainer", *arguments, *places]
    process = started(command, LIB_TRAINER_DATA=str(data))
    line = line_with("disk is full", process)
    print(f"\nfull disk, train\n    {line.replace(str(place), '...')}", end="")
    assert "Make room" in line
    time.sleep(0.5)
    assert process.poll() is None
    room.touch()
    said, rest = process.communicate()
    assert process.returncode == 0, rest
    assert "Done." in rest
    assert [Path(name).suffix for name in said.splitlines() if name.startswith(str(folder))].count(".safetensors") == 1
    assert ".tmp" not in said


def test_a_disk_that_becomes_full_while_training_is_named_and_waited_for(place, disk, started):
    """All of it on one disk, as most people have it: events, states and networks."""
    folder, prefix, fill, room = disk
    arguments = TRAIN.replace("PLACE", str(place)).replace("max-steps 1", "max-steps 60").split()
    options = ["--epochs", "60", "--model", place / "model.safetensors", "--engine.python", sys.executable]
    command = [*prefix, sys.executable, "-m", "lib_trainer", *arguments, *map(str, options)]
    process = started(command, LIB_TRAINER_DATA=str(folder))
    line_with("Training:", process)
    fill.touch()
    line = line_with("is full", process)
    print(f"\ndisk that becomes full, train\n    {line.replace(str(place), '...')}", end="")
    assert "ake room" in line
    time.sleep(1)
    assert process.poll() is None
    room.touch()
    said, rest = process.communicate()
    assert process.returncode == 0, rest
    assert "Done." in rest
    assert ".tmp" not in said
