from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.prompt import PromptReader, encode_prompts  # noqa: E402
from lib_trainer.models.text_options import PLAIN, WEBUI, TextOptions  # noqa: E402
from tests.models.families import CHECKPOINTS  # noqa: E402

LONG = " ".join(["mountain"] * 74) + " red, green and blue"
KOHYA = TextOptions(reading="kohya")


@pytest.fixture(scope="module")
def sdxl(tmp_path_factory):
    path = CHECKPOINTS["sdxl"](tmp_path_factory.mktemp("sdxl") / "sdxl.safetensors")
    return load_model(path, torch.float32, torch.device("cpu"))


def theirs(pipeline, rows):
    """transformers' states of rows of tokens [n, 77]."""
    return pipeline.text_encoder(rows).last_hidden_state


@torch.no_grad()
def test_a_short_prompt_without_brackets_is_the_same_to_the_bit_in_every_reading(model, sdxl):
    prompts = ["a cat", "", "two dogs, running"]
    for each in (model, sdxl):
        plain = torch.stack(encode_prompts(each, prompts, 1, PLAIN))
        assert torch.equal(plain, each.encode_text(each.tokenize(prompts), 1))
        assert torch.equal(plain, torch.stack(encode_prompts(each, prompts, 1, WEBUI)))
    kohya = torch.stack(encode_prompts(model, prompts, 1, replace(KOHYA, kohya_length=75)))
    assert torch.equal(kohya, torch.stack(encode_prompts(model, prompts, 1, PLAIN)))


@torch.no_grad()
def test_a_long_prompt_has_77_states_for_each_window(model, pipeline):
    (ours,) = encode_prompts(model, [LONG], 1, WEBUI)
    rest = model.tokenize(["green and blue"])
    first = model.tokenize([" ".join(["mountain"] * 74) + " red"])
    first[0, 75:] = 49407
    comma_back = model.tokenize(["mountain " * 74 + "red"])
    assert ours.shape == (154, 64)
    wanted = theirs(pipeline, torch.cat([comma_back, torch.tensor([[49406, 267, *rest[0, 1:-1].tolist()]])]))
    assert torch.allclose(ours, wanted.flatten(0, 1), atol=1e-5)


@torch.no_grad()
@pytest.mark.option("TextOptions.emphasis")
def test_emphasis_scales_states_and_keeps_the_mean_or_not(model, pipeline):
    states = theirs(pipeline, model.tokenize(["a red apple"]))[0]
    weights = torch.ones(77, 1)
    weights[2] = 1.5  # behind the begin and 'a'
    scaled = states * weights
    wanted = {
        "Original": scaled * states.mean() / scaled.mean(),
        "No norm": scaled,
        "Ignore": states,
        "None": theirs(pipeline, model.tokenize(["a (red:1.5) apple"]))[0],
    }
    for emphasis, expected in wanted.items():
        (ours,) = encode_prompts(model, ["a (red:1.5) apple"], 1, replace(WEBUI, emphasis=emphasis))
        assert torch.allclose(ours, expected, rtol=1e-3, atol=1e-4), emphasis


@torch.no_grad()
def test_each_encoder_of_sdxl_keeps_its_own_mean_and_the_pooled_row_is_the_first_windows(sdxl):
    plain, other = sdxl.encode_text(sdxl.tokenize(["a red apple", "sea"]), 1)
    weights = torch.ones(77, 1)
    weights[2] = 1.5
    parts = []
    for states in plain[:77].split(sdxl.text_widths, dim=1):
        scaled = states * weights
        parts.append(scaled * states.mean() / scaled.mean())
    (ours,) = encode_prompts(sdxl, ["a (red:1.5) apple BREAK sea"], 1, WEBUI)
    assert torch.allclose(ours[:77], torch.cat(parts, dim=1), rtol=1e-3, atol=1e-4)
    assert torch.equal(ours[77:154], other[:77])
    assert torch.equal(ours[154:], plain[77:])


@torch.no_grad()
def test_kohyas_reading_has_one_begin_and_one_end(model, sdxl, pipeline):
    prompt = " ".join(["mountain"] * 100)
    rows = torch.cat([model.tokenize([" ".join(["mountain"] * count)]) for count in (75, 25, 0)])
    states = theirs(pipeline, rows)
    wanted = torch.cat([states[0, :1], *(each[1:76] for each in states), states[2, 76:]])
    (ours,) = encode_prompts(model, [prompt], 1, KOHYA)
    assert ours.shape == (227, 64)
    assert torch.allclose(ours, wanted, atol=1e-5)
    (pair,) = encode_prompts(sdxl, [prompt], 1, KOHYA)
    assert pair.shape == (228, 192)
    assert torch.allclose(pair[-1], sdxl.encode_text(sdxl.tokenize(["mountain " * 75]), 1)[0, -1], atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_a_short_prompt_beside_a_long_one_is_filled_up_with_empty_windows(model, sdxl, family):
    chosen = sdxl if family == "sdxl" else model
    reader = PromptReader(chosen, 1, WEBUI)
    together = reader.encode(["a cat", LONG])
    cat, empty = chosen.encode_text(chosen.tokenize(["a cat", ""]), 1)
    assert together.shape[1] == 154 + (family == "sdxl")
    assert torch.allclose(together[0], torch.cat([cat[:77], empty[:77], cat[77:]]), atol=1e-5)
    assert torch.allclose(reader.stacked(reader.each(["a cat", LONG, *reader.fillers])), together, atol=1e-5)


def test_what_a_texts_states_depend_on_tells_readings_apart(model):
    readings = (PLAIN, WEBUI, KOHYA, replace(WEBUI, emphasis="Ignore"), replace(WEBUI, comma_backtrack=0))
    recipes = [PromptReader(model, 1, reading).recipe() for reading in readings]
    assert all(recipe not in recipes[:place] for place, recipe in enumerate(recipes))
    assert recipes[0] == [model.text_digest, 1, 77, "torch.float32"]  # as before there were readings


def test_emphasis_has_a_gradient(model):
    model.parts["text_encoder"].requires_grad_(True)
    PromptReader(model, 1, WEBUI).encode(["a (red:1.5) apple"]).square().sum().backward()
    assert model.parts["text_encoder"].final_layer_norm.weight.grad.abs().sum() > 0
