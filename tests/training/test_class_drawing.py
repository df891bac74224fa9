"""Class pictures: drawn by the untouched model where they are missing, and only there; one's own serve as well."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from PIL import Image  # noqa: E402

from lib_trainer.core.errors import DataError, StopRequested  # noqa: E402
from lib_trainer.core.events import Progress  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import SampleRequest, sample  # noqa: E402
from lib_trainer.training import class_drawing  # noqa: E402
from tests.models.miniature import miniature_checkpoint  # noqa: E402
from tests.training.conftest import write_pictures  # noqa: E402

SQUARE, TALL = (64, 64), (48, 80)


@pytest.fixture
def kept(tmp_path):
    return tmp_path / "class"


@pytest.fixture
def opened(runs, kept):
    """`opened(pictures=4, concept={...}, dataset={...})`: a session with one concept whose class lies in `kept`."""

    def made(concept=None, dataset=None, model=None, name="run", **prior):
        told = {"prompt": "a sks cat", "class_prompt": "a cat", "class_folder": str(kept), **(concept or {})}
        few = {"pictures": 4, "steps": 1, "cfg_scale": 1, **prior}
        changes = {"dataset": {"concepts": [told], **(dataset or {})}, "prior": few}
        return runs.open({**changes, **({"model": model} if model else {})}, name)

    return made


def drawn(kept):
    """{file: bytes} of all drawn pictures."""
    return {path.relative_to(kept).as_posix(): path.read_bytes() for path in sorted(kept.rglob("drawn-*/*.png"))}


def shown(session, epochs=1):
    """How often each class picture is shown, with its caption and size."""
    found = Counter()
    for epoch in range(epochs):
        for plan in session.dataset.batches(epoch):
            batch = session.dataset.load(plan, epoch)
            size = (batch.mean.shape[3] * 8, batch.mean.shape[2] * 8)
            for row in range(batch.to_learn, len(batch.captions)):
                found[batch.paths[row].name, batch.captions[row], size] += 1
    return found


def test_class_pictures_are_drawn_in_the_sizes_of_the_pictures_to_learn_and_in_their_proportion(opened, kept):
    """Four pictures are square and three are tall; 7 class pictures are four and three as well."""
    session = opened(pictures=7)
    sizes = Counter(Image.open(kept / name).size for name in drawn(kept))
    assert sizes == {SQUARE: 4, TALL: 3}
    assert Counter(size for _, _, size in shown(session)) == sizes


@pytest.mark.option("ConceptOptions.class_folder", "PriorOptions.sampler")
def test_a_class_picture_is_what_the_untouched_model_draws_by_the_settings(opened, kept, things):
    opened(concept={"class_prompt": "a black cat"}, sampler="Euler a", steps=2, cfg_scale=3.0, negative_prompt="dog")
    model = load_model(things / "miniature.safetensors", torch.float32, torch.device("cpu"))
    request = SampleRequest(("a black cat",), (2,), "dog", 2, 3.0, "Euler a", 48, 80)
    (expected,) = sample(model, request)
    (path,) = kept.rglob("48x80-00002.png")
    difference = torch.tensor(list(expected.tobytes())).int() - torch.tensor(list(Image.open(path).tobytes())).int()
    assert difference.abs().max() <= 1
    said = Image.open(path).info["parameters"]
    assert said.startswith("a black cat\nNegative prompt: dog\nSteps: 2, Sampler: Euler a")
    assert "Seed: 2" in said


@pytest.mark.option(
    "PriorOptions.steps", "PriorOptions.cfg_scale", "PriorOptions.sampler", "PriorOptions.negative_prompt",
    "ConceptOptions.class_prompt",
)  # fmt: skip
@pytest.mark.parametrize(("one", "other"), [
    ({}, {"steps": 2}),
    ({}, {"cfg_scale": 5.0}),
    ({}, {"sampler": "DDIM"}),
    ({"cfg_scale": 5.0}, {"cfg_scale": 5.0, "negative_prompt": "dog"}),
    ({}, {"concept": {"class_prompt": "a dog"}}),
])  # fmt: skip
def test_other_settings_are_other_pictures_and_none_are_mixed(opened, kept, one, other):
    first = opened(name="first", **one)
    before = drawn(kept)
    second = opened(name="second", **other)
    new = {name: content for name, content in drawn(kept).items() if name not in before}
    assert len(new) == len(before) == 5  # 4 x 4/7 and 4 x 3/7, rounded up
    assert set(new.values()).isdisjoint(before.values())
    assert sum(shown(first).values()) == sum(shown(second).values()) == 7
    assert first.dataset.prior.facts != second.dataset.prior.facts


def test_another_model_draws_its_own(opened, kept, tmp_path):
    opened(name="first")
    before = drawn(kept)
    opened(name="second", model=str(miniature_checkpoint(tmp_path / "other.safetensors", seed=5)))
    assert len(drawn(kept)) == 2 * len(before)


@pytest.mark.option("PriorOptions.pictures")
def test_only_what_is_missing_is_drawn(opened, kept, monkeypatch):
    opened(name="first", pictures=3)
    before = drawn(kept)
    gone = next(iter(before))
    (kept / gone).unlink()
    asked = []
    monkeypatch.setattr(class_drawing, "sample", lambda model, request, on_step: asked.extend(request.seeds)
                        or sample(model, request, on_step))  # fmt: skip
    opened(name="second", pictures=5)
    after = drawn(kept)
    assert {name: after[name] for name in before} == before
    assert len(asked) == len(after) - len(before) + 1
    opened(name="third", pictures=5)
    assert len(asked) == len(after) - len(before) + 1


@pytest.mark.option("PriorOptions.at_once")
def test_so_many_are_drawn_at_once(opened, monkeypatch):
    batches = []
    monkeypatch.setattr(class_drawing, "sample", lambda model, request, on_step: batches.append(len(request.seeds))
                        or sample(model, request, on_step))  # fmt: skip
    opened(pictures=7, at_once=3)
    assert sorted(batches) == [1, 3, 3]


def test_drawing_tells_how_far_it_is(opened, runs):
    opened(pictures=7, at_once=4)
    told = [(event.done, event.total) for event in runs.run().of(Progress) if event.stage == "Drawing class pictures"]
    assert told[0] == (0, 7)
    assert told[-1] == (7, 7)


def test_a_stop_while_drawing_keeps_what_is_drawn_and_the_next_start_goes_on(opened, kept, runs, monkeypatch):
    def once(model, request, on_step):
        pictures = sample(model, request, on_step)
        runs.run("stopped").directory.request("stop")
        return pictures

    monkeypatch.setattr(class_drawing, "sample", once)
    with pytest.raises(StopRequested):
        opened(name="stopped", pictures=7, at_once=2)
    monkeypatch.undo()
    some = drawn(kept)
    assert len(some) == 2
    opened(name="whole", pictures=7, at_once=2)
    assert len(drawn(kept)) == 7
    assert drawn(kept).items() >= some.items()


def test_what_was_drawn_lies_beside_a_manifest_that_says_how(opened, kept):
    opened(concept={"class_prompt": "eine Katze mit Hütchen"}, steps=2)
    (file,) = kept.rglob("manifest.json")
    said = json.loads(file.read_text(encoding="utf-8"))
    assert (said["name"], said["prompt"], said["steps"]) == ("miniature.safetensors", "eine Katze mit Hütchen", 2)
    assert len(said["model"]) == 64


def test_without_a_class_folder_they_lie_in_the_trainers_own(opened, kept, things):
    session = opened(concept={"class_folder": None})
    assert not kept.exists()
    assert sum(shown(session).values()) == 7
    assert list((things / "data" / "cache" / "class-pictures").rglob("*.png"))


def own_pictures(kept, count, captioned=0):
    """Square pictures of one's own, the first ones with captions."""
    write_pictures(kept, [SQUARE] * count, seed=7)
    for number in range(captioned, count):
        (kept / f"{number}.txt").unlink()


def test_own_pictures_serve_with_their_captions_and_only_the_rest_is_drawn(opened, kept):
    own_pictures(kept, 2, captioned=1)
    session = opened(pictures=9)
    assert len(drawn(kept)) == 7
    captions = {name: caption for name, caption, _ in shown(session, epochs=4)}
    assert captions["0.png"] == "cat, red, small, on grass, smiling"
    assert captions["1.png"] == "a cat"
    assert set(captions.values()) == {"a cat", "cat, red, small, on grass, smiling"}


def test_own_pictures_alone_are_cropped_to_sizes_that_none_of_them_has(opened, kept, runs):
    own_pictures(kept, 2)
    session = opened(pictures=0)
    assert drawn(kept) == {}
    assert {(name, size) for name, _, size in shown(session, epochs=4)} == {
        ("0.png", SQUARE), ("1.png", SQUARE), ("0.png", TALL), ("1.png", TALL),
    }  # fmt: skip
    assert "There are only 2 class pictures of concept 1 for 7 pictures of an epoch" in runs.run().messages


def test_own_pictures_without_any_words_are_named(opened, kept, runs):
    own_pictures(kept, 3, captioned=2)
    opened(concept={"class_prompt": ""})
    assert "1 class pictures of concept 1 have no caption, 2.png first" in runs.run().messages


@pytest.mark.parametrize("concept", [{"class_prompt": ""}, {}])
def test_no_class_picture_and_none_that_can_be_drawn_is_refused(opened, kept, concept):
    kept.mkdir()
    with pytest.raises(DataError, match=rf"no class picture of concept 1 in {kept}.*set 'prior.pictures'"):
        opened(concept=concept, pictures=0)


def test_all_class_pictures_come_equally_often_in_new_pairs(opened):
    session = opened(pictures=7, dataset={"repeats": 2})
    assert set(shown(session).values()) == {2}
    pairs = []
    for epoch in range(2):
        batches = [session.dataset.load(plan, epoch) for plan in session.dataset.batches(epoch)]
        pairs.append({(batch.paths[row], batch.paths[row + batch.to_learn])
                      for batch in batches for row in range(batch.prior)})  # fmt: skip
    assert pairs[0] != pairs[1]


def test_a_picture_of_no_concept_has_none_beside_it(opened, things, tmp_path):
    write_pictures(tmp_path / "own", [SQUARE] * 2, seed=3)
    session = opened(concept={"folder": str(tmp_path / "own")}, dataset={"folder": str(things / "pictures")})
    batches = [session.dataset.load(plan, 0) for plan in session.dataset.batches(0)]
    assert sum(batch.prior for batch in batches) == 2
    assert sum(batch.to_learn for batch in batches) == 9


def test_several_concepts_have_their_own_class_beside_them(runs, things, tmp_path):
    write_pictures(tmp_path / "dogs", [SQUARE] * 3, seed=3)
    concepts = [{"class_prompt": "a cat"}, {"folder": str(tmp_path / "dogs"), "class_prompt": "a dog"}]
    session = runs.open({"dataset": {"concepts": concepts}, "prior": {"pictures": 2, "steps": 1, "cfg_scale": 1}})
    for plan in session.dataset.batches(0):
        batch = session.dataset.load(plan, 0)
        for row in range(batch.prior):
            is_dog = Path(tmp_path / "dogs") in batch.paths[row].parents
            assert batch.captions[batch.to_learn + row] == ("a dog" if is_dog else "a cat")


def test_neither_trigger_nor_chance_touches_the_captions_of_classes(opened):
    session = opened(dataset={
        "trigger": "sks", "caption_dropout": 1.0,
        "wording": {"prefix": "sks", "suffix": "on grass", "dropout_every": 1},
    })  # fmt: skip
    assert {caption for _, caption, _ in shown(session)} == {"a cat"}
