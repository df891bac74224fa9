import json
import shutil

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sd1_folder import open_folder  # noqa: E402


@pytest.fixture
def own_folder(folder, tmp_path):
    return shutil.copytree(folder, tmp_path / "folder")


def change(file, **settings):
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **settings}), encoding="utf-8")


def same_model(one, other):
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([5]), torch.randn(1, 77, 64)
    ids, pixels = one.tokenize(["a cat"]), torch.zeros(1, 3, 16, 16)
    with torch.no_grad():
        return (
            torch.equal(one.predict(*inputs), other.predict(*inputs))
            and torch.equal(one.encode_text(ids, 1), other.encode_text(ids, 1))
            and torch.equal(one.encode_pictures(pixels)[0], other.encode_pictures(pixels)[0])
        )


def test_a_folder_that_diffusers_wrote_is_the_same_model_as_the_single_file(folder, model, cpu):
    loaded = load_model(folder, torch.float32, cpu)
    assert same_model(loaded, model)
    ours, single = loaded.original_tensors(), model.original_tensors()
    assert {name: ours.shape(name) for name in ours} == {name: single.shape(name) for name in single}


def test_bin_files_and_the_oldest_names_are_read(own_folder, model, cpu):
    from safetensors.torch import load_file

    names = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
    for part, stem, old_stem in (
        ("unet", "diffusion_pytorch_model", "diffusion_pytorch_model"),
        ("vae", "diffusion_pytorch_model", "diffusion_pytorch_model"),
        ("text_encoder", "model", "pytorch_model"),
    ):
        file = own_folder / part / f"{stem}.safetensors"
        tensors = load_file(file)
        if part == "vae":
            for new, old in names.items():
                tensors = {name.replace(f"attentions.0.{new}", f"attentions.0.{old}"): t for name, t in tensors.items()}
        torch.save(tensors, own_folder / part / f"{old_stem}.bin")
        file.unlink()
    assert "decoder.mid_block.attentions.0.query.weight" in torch.load(own_folder / "vae/diffusion_pytorch_model.bin")
    assert same_model(load_model(own_folder, torch.float32, cpu), model)


def test_heads_schedule_prediction_and_factor_come_from_the_configurations(own_folder, model, cpu):
    change(own_folder / "unet/config.json", attention_head_dim=[2, 4])
    change(own_folder / "vae/config.json", scaling_factor=0.5)
    change(own_folder / "scheduler/scheduler_config.json", prediction_type="v_prediction", beta_start=0.002)
    loaded = load_model(own_folder, torch.float32, cpu)
    assert loaded.prediction == "v"
    assert loaded.alphas_cumprod[0] == pytest.approx(0.998)
    assert [a.heads for a in loaded.parts["unet"].modules() if hasattr(a, "to_q")][:2] == [2, 2]
    with torch.no_grad():
        pixels = torch.zeros(1, 3, 16, 16)
        assert torch.allclose(loaded.encode_pictures(pixels)[0] * 0.18215 / 0.5, model.encode_pictures(pixels)[0])


@pytest.mark.parametrize(
    ("missing", "sentence"),
    [
        ("unet/config.json", "has no unet/config.json"),
        ("scheduler/scheduler_config.json", "has no scheduler/scheduler_config.json"),
        ("vae/diffusion_pytorch_model.safetensors", "vae has no weights; diffusion_pytorch_model.safetensors"),
    ],
)
def test_what_a_folder_lacks_is_named(own_folder, cpu, missing, sentence):
    (own_folder / missing).unlink()
    with pytest.raises(ModelError, match=sentence):
        load_model(own_folder, torch.float32, cpu)


def test_a_configuration_without_heads_is_named(own_folder, cpu):
    (own_folder / "text_encoder/config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelError, match="gives no usable 'num_attention_heads'"):
        load_model(own_folder, torch.float32, cpu)


def test_heads_for_other_levels_are_refused(own_folder, cpu):
    change(own_folder / "unet/config.json", attention_head_dim=[2, 4, 8])
    with pytest.raises(ModelError, match="head counts for 3 levels of the U-Net, which has 2"):
        load_model(own_folder, torch.float32, cpu)


def test_another_schedule_is_refused(own_folder, cpu):
    change(own_folder / "scheduler/scheduler_config.json", beta_schedule="squaredcos_cap_v2")
    with pytest.raises(ModelError, match=r"asks for the schedule 'squaredcos_cap_v2'.*supported are 'scaled_linear'"):
        load_model(own_folder, torch.float32, cpu)


def test_a_configuration_that_is_no_json_is_refused(own_folder):
    (own_folder / "unet/config.json").write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match=r"unet.config\.json can't be read"):
        open_folder(own_folder)


def test_a_folder_of_something_else_is_refused(tmp_path, cpu):
    (tmp_path / "picture.png").write_bytes(b"")
    with pytest.raises(ModelError, match="is no diffusers folder"):
        load_model(tmp_path, torch.float32, cpu)
