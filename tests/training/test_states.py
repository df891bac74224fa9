"""States to resume from, as files."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import TrainingError  # noqa: E402
from lib_trainer.training.states import Place, digest, newest_state, save_state  # noqa: E402
from tests.training.runs import equal  # noqa: E402

PLACE = Place(step=7, epoch=2, batch=1, held_out={"base": 0.5, "1": 0.25}, saved=["a.safetensors"])
CONTENTS = {"network": {"weight": torch.arange(3.0)}, "optimizer": {"state": {0: {"step": torch.tensor(7.0)}}}}


def test_a_state_comes_back_as_it_was(run):
    save_state(run, PLACE, "belongs", CONTENTS)
    place, contents = newest_state(run, "belongs")
    assert place == PLACE
    assert equal({name: contents[name] for name in CONTENTS}, CONTENTS)


def test_one_state_is_kept_and_the_newest_counts(run):
    first = save_state(run, Place(step=9), "belongs", {})
    second = save_state(run, Place(step=10), "belongs", {})
    assert list(run.states.iterdir()) == [second]
    second.rename(second.with_suffix(".kept"))
    save_state(run, Place(step=9), "belongs", {})
    second.with_suffix(".kept").rename(second)  # as if the engine had been killed before it removed the older one
    assert newest_state(run, "belongs")[0].step == 10
    assert first.exists()


@pytest.fixture
def small_files():
    """The system lets files grow to 100 kB only; like a full disk, it refuses what goes beyond."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_the_disk_says_while_a_state_is_written_is_not_hidden_by_torch_and_the_older_state_stays(run, small_files):
    older = save_state(run, Place(step=1), "belongs", CONTENTS)
    with pytest.raises(OSError, match="File too large"):
        save_state(run, Place(step=2), "belongs", {"network": {"weight": torch.zeros(10**6)}})
    assert list(run.states.iterdir()) == [older]


def test_a_run_without_a_state_has_none(run):
    assert newest_state(run, "belongs") is None


@pytest.mark.parametrize("damage", [b"", b"no state", b"hello", b"abc", b"\0" * 5000, "cut"])
def test_a_state_that_can_not_be_read_is_named(run, damage):
    path = save_state(run, PLACE, "belongs", CONTENTS)
    path.write_bytes(path.read_bytes()[:-500] if damage == "cut" else damage)
    with pytest.raises(TrainingError, match=r"state-00000007\.pt can't be read .*; start a new run\."):
        newest_state(run, "belongs")


def test_a_file_that_is_no_state_is_named(run):
    path = save_state(run, PLACE, "belongs", CONTENTS)
    for wrong in ([1, 2], {"place": {}}):
        torch.save(wrong, path)
        with pytest.raises(TrainingError, match="can't be read"):
            newest_state(run, "belongs")


def test_a_state_with_code_in_it_is_not_run(run, tmp_path):
    import pickle

    class RunsCode:
        def __reduce__(self):
            return (type(tmp_path).touch, (tmp_path / "the code was run",))

    path = save_state(run, PLACE, "belongs", CONTENTS)
    path.write_bytes(pickle.dumps(RunsCode(), protocol=2))
    with pytest.raises(TrainingError, match="can't be read"):
        newest_state(run, "belongs")
    assert not (tmp_path / "the code was run").exists()


def test_a_state_of_another_version_or_another_run_is_refused(run):
    path = save_state(run, PLACE, "belongs", CONTENTS)
    with pytest.raises(TrainingError, match="belongs to other options, pictures or captions"):
        newest_state(run, "other")
    torch.save({**torch.load(path), "format": 999}, path)
    with pytest.raises(TrainingError, match="written by another version of the trainer"):
        newest_state(run, "belongs")


def test_digests_differ_with_any_fact():
    facts = [({"a": 1}, [1]), ({"a": 2}, [1]), ({"a": 1}, [2]), ({"a": 1}, [1], 0)]
    assert len({digest(*fact) for fact in facts}) == len(facts)
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
