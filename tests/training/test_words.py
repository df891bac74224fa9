"""Words in training: alone as an embedding, beside a LoRA in its file, and what captions must say."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ConfigError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.trainables import TRAINABLES  # noqa: E402
from lib_trainer.trainables.file_names import read_network_file  # noqa: E402
from lib_trainer.training.plan import plan  # noqa: E402
from lib_trainer.weights.networks import open_network  # noqa: E402
from tests.training.runs import equal  # noqa: E402

BOTH = {
    "dataset": {"trigger": "mystyle"},
    "word": {"token": "mystyle", "vectors": 2, "initial_text": "red apple", "learning_rate": 1e-2},
}
BUNDLED = "bundle_emb.mystyle.string_to_param.*"
ALONE = {
    "dataset": {"trigger": "mystyle"},
    "trainable": {"type": "textual_inversion", "token": "mystyle", "vectors": 2},
    "text_encoder_learning_rate": None,
    "learning_rate": 1e-2,
    "saving": {"name": ""},
}


@pytest.mark.option("WordOptions.token", "WordOptions.vectors", "WordOptions.initial_text", "WordOptions.learning_rate")
def test_a_word_learns_beside_a_lora_at_its_own_rate_and_resumes_to_the_bit(runs):
    told = {**BOTH, "saving": {"state_every": "1 epoch"}}
    whole = runs.train(told, "whole")
    runs.train(told, "stopped", stop_at=2)
    stopped = runs.train(told, "stopped")
    assert whole.losses == stopped.losses and equal(whole.tensors(), stopped.tensors())
    session = runs.open(told, "new")
    assert session.group_rates == [("unet", 1e-3), ("word", 1e-2)]
    start, end = session.network.tensors(), whole.tensors()
    assert end[BUNDLED].shape == (2, 64) and not torch.equal(end[BUNDLED], start[BUNDLED])
    table = session.model.extra_words.tables["emb_params"].weight
    assert torch.equal(start[BUNDLED].detach(), table[[736, 3055]].float())
    assert not any(tensor.any() for name, tensor in start.items() if "lora_up" in name)
    assert all(tensor.any() for name, tensor in end.items() if "lora_up" in name)


@pytest.mark.option("WordOptions.keep_norm")
def test_the_words_lengths_are_kept_as_told(runs):
    for keep in (True, False):
        told = {**BOTH, "word": {**BOTH["word"], "keep_norm": keep}}
        run = runs.train(told, f"keep {keep}")
        table = runs.open(told, "new").model.extra_words.tables["emb_params"].weight
        lengths = table[[736, 3055]].float().norm(dim=1)
        assert torch.allclose(run.tensors()[BUNDLED].norm(dim=1), lengths, rtol=1e-5) is keep


def test_a_prediction_from_the_file_is_that_of_memory_and_the_plan_knows_the_files_size(runs):
    planned = plan(runs.options(BOTH, "run"), runs.run("planned").directory)
    session, run = runs.open(BOTH, "open"), runs.train(BOTH)
    (network,) = [file for file in planned["files"] if file["kind"] == "network"]
    assert network["bytes"] == pytest.approx(run.networks[-1].stat().st_size, abs=64)
    session.network.load_tensors(run.tensors())
    noisy = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    session.network.train(False)
    with torch.no_grad():
        wanted = session.denoise(noisy, torch.tensor([500]), ["mystyle, a cat"])
        model = load_model(session.options.model, torch.float32, torch.device("cpu"))
        open_network(model, run.networks[-1])
        text = model.encode_text(model.tokenize(["mystyle, a cat"]), 1)
        assert torch.allclose(model.predict(noisy, torch.tensor([500]), text), wanted, atol=1e-4)


def test_gradient_checkpointing_changes_no_loss_also_where_the_caption_is_dropped(runs):
    told = {**BOTH, "dataset": {"trigger": "mystyle", "caption_dropout": 0.7}}
    plain = runs.train(told, "plain")
    less = runs.train({**told, "gradient_checkpointing": True}, "less")
    assert less.losses == pytest.approx(plain.losses, rel=1e-4)
    assert torch.allclose(less.tensors()[BUNDLED], plain.tensors()[BUNDLED], atol=1e-4)


def test_captions_without_the_word_are_refused_before_anything_starts(runs):
    told = {**BOTH, "dataset": {"trigger": ""}}
    for begin in (lambda: runs.open(told), lambda: plan(runs.options(told), runs.run("plan").directory)):
        with pytest.raises(ConfigError, match=r"No caption has the word 'mystyle'.*set 'dataset.trigger' to it"):
            begin()


def test_a_word_that_means_something_says_so_with_its_pieces(runs):
    told = {**BOTH, "dataset": {"trigger": "red apple"}, "word": {"token": "red apple"}}
    runs.open(told)
    assert "'red apple' already means something: the model knows it as words ('red', 'apple')" in runs.run().messages
    planned = plan(runs.options(told), runs.run("plan").directory)
    assert [remark for remark in planned["remarks"] if "as words ('red', 'apple')" in remark]
    made_up = plan(runs.options(BOTH), runs.run("plan").directory)
    assert not [remark for remark in made_up["remarks"] if "already means" in remark]


def test_a_rate_that_is_usual_for_loras_is_called_slow_for_a_word(runs):
    def slow(rate):
        remarks = plan(runs.options({**ALONE, "learning_rate": rate}), runs.run("plan").directory)["remarks"]
        return any("A word learns slowly" in remark for remark in remarks)

    assert slow(1e-4) and not slow(5e-3)


def test_impossible_words_are_refused_with_the_options(runs):
    with pytest.raises(ConfigError, match=r"'trainable\.token' is empty; give the word"):
        runs.options({"trainable": {"type": "textual_inversion"}})
    with pytest.raises(ConfigError, match=r"'word\.token' is 'a:b'; ':' can't be"):
        runs.options({"word": {"token": "a:b"}})
    with pytest.raises(ConfigError, match="textual_inversion learns 'mystyle' already"):
        runs.options({"trainable": {"type": "textual_inversion", "token": "mystyle"}, "word": {"token": "other"}})
    wholes = [name for name, entry in TRAINABLES if entry.output == "checkpoint"]
    for kind in wholes:
        with pytest.raises(ConfigError, match="only a LoRA's file has room for a word"):
            runs.options({"trainable": {"type": kind}, "word": {"token": "other"}})



@pytest.mark.parametrize("ending", ["safetensors", "pt"])
def test_an_embedding_bears_its_words_name_and_its_header_says_what_it_is(runs, ending):
    run = runs.train({**ALONE, "saving": {"name": "", "format": ending}})
    (path,) = run.out.glob(f"*.{ending}")
    assert path.name == f"mystyle-e001.{ending}"
    tensors, told = read_network_file(path)
    if ending == "pt":
        assert list(tensors) == ["string_to_param.*"] and (told["name"], told["step"]) == ('"mystyle"', "4")
    else:
        assert list(tensors) == ["emb_params"] and told["name"] == "mystyle"
        assert told["modelspec.architecture"] == "stable-diffusion-v1/textual-inversion"
    (vectors,) = tensors.values()
    assert vectors.shape == (2, 64)
    session = runs.open(ALONE, "new")
    assert session.group_rates == [("text_encoder", 1e-2)] and session.texts is None


def test_embeddings_go_into_the_webuis_own_folder(runs):
    assert runs.options({**ALONE, "saving": {"folder": None}}).output_folder.name == "embeddings"
