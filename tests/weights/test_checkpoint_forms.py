"""Whole models as `.ckpt` and as diffusers folders, and the `.yaml` beside files, read by other people's code."""

import json
import pickletools
import re
import zipfile

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

import yaml  # noqa: E402

from lib_trainer.core.errors import OutputError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sd1_settings import Settings  # noqa: E402
from lib_trainer.models.webui_config import webui_config  # noqa: E402
from lib_trainer.weights.checkpoints import write_checkpoint  # noqa: E402
from lib_trainer.weights.pickle_writing import write_pickle  # noqa: E402
from lib_trainer.weights.tensor_bytes import Writing  # noqa: E402
from tests.models.families import CHECKPOINTS, SD2_FULL, SDXL_FULL, sdxl_checkpoint  # noqa: E402
from tests.models.miniature import FULL, miniature_checkpoint  # noqa: E402

CPU = torch.device("cpu")
ALL = {"sd1": miniature_checkpoint, **CHECKPOINTS}
# What AUTOMATIC1111 1.10.1's modules/safe.py lets pass.
NAMES = re.compile(r"^([^/]+)/((data/\d+)|version|byteorder|.data/serialization_id|(data\.pkl))$")
GLOBALS = {"collections OrderedDict", "torch._utils _rebuild_tensor_v2"} | {
    f"torch {kind}Storage" for kind in ("Float", "Half", "Int", "Long", "Double", "Byte", "BFloat16")
}


@pytest.fixture(scope="module", params=list(ALL))
def family(request):
    return request.param


@pytest.fixture(scope="module")
def source(family, tmp_path_factory):
    counts = {"counts": torch.arange(3), "betas": torch.ones(7, dtype=torch.float64)}
    return ALL[family](tmp_path_factory.mktemp("source") / "model.safetensors", extra=counts)


def tensors_of(path):
    from safetensors.torch import load_file

    return load_file(path)


def same(one, other):
    return one.keys() == other.keys() and all(
        one[name].dtype == other[name].dtype and torch.equal(one[name], other[name]) for name in one
    )


def test_a_ckpt_holds_every_tensor_to_the_bit_and_nothing_that_the_webuis_check_refuses(source, tmp_path):
    path = tmp_path / "again.ckpt"
    write_checkpoint(load_model(source, torch.float32, CPU), path, form="ckpt")
    assert same(torch.load(path, weights_only=True)["state_dict"], tensors_of(source))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None and all(NAMES.match(name) for name in archive.namelist())
        operations = list(pickletools.genops(archive.read("archive/data.pkl")))
    assert {argument for operation, argument, _ in operations if operation.name == "GLOBAL"} <= GLOBALS
    assert not {"STACK_GLOBAL", "INST", "OBJ", "NEWOBJ"} & {operation.name for operation, _, _ in operations}
    assert list(tmp_path.iterdir()) == [path]
    again = load_model(path, torch.float32, CPU)
    assert same(dict(again.original_tensors()), {name: one.float() if name in trained(again) else one
                                                 for name, one in tensors_of(source).items()})  # fmt: skip


def trained(model):
    """The names of the tensors that are in memory in its number format."""
    original = model.original_tensors()
    return {name for name in original if original[name].dtype != original.stored_dtype(name)}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_a_ckpt_has_the_wanted_number_format(dtype, tmp_path):
    source = miniature_checkpoint(tmp_path / "source.safetensors")
    write_checkpoint(load_model(source, torch.float32, CPU), tmp_path / "again.ckpt", dtype, form="ckpt")
    expected = {name: tensor.to(dtype) for name, tensor in tensors_of(source).items()}
    assert same(torch.load(tmp_path / "again.ckpt", weights_only=True)["state_dict"], expected)


def test_a_ckpt_of_an_odd_type_is_refused(tmp_path):
    source = miniature_checkpoint(tmp_path / "source.safetensors", extra={"flag": torch.tensor([True])})
    with pytest.raises(OutputError, match=r"a \.ckpt can't hold flag as BOOL; save as safetensors"):
        write_checkpoint(load_model(source, torch.float32, CPU), tmp_path / "again.ckpt", form="ckpt")
    assert not (tmp_path / "again.ckpt").exists()


@torch.no_grad()
def test_diffusers_own_pipeline_reads_the_folder_and_answers_the_same(family, source, tmp_path):
    from diffusers import DiffusionPipeline

    model = load_model(source, torch.float32, CPU)
    path = tmp_path / "folder"
    write_checkpoint(model, path, form="diffusers")
    assert [file.name for file in tmp_path.iterdir()] == ["folder"]
    pipeline = DiffusionPipeline.from_pretrained(path, local_files_only=True)
    expected = {"sd1": "StableDiffusionPipeline", "sd2": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline"}
    assert type(pipeline).__name__ == expected[family]
    ours, theirs = model.encode_text(model.tokenize(["a cat"]), 1), pipeline.encode_prompt("a cat", device="cpu",
        num_images_per_prompt=1, do_classifier_free_guidance=False)  # fmt: skip
    states = ours[:, :-1] if family == "sdxl" else ours
    assert torch.allclose(theirs[0], states, atol=1e-5)
    noisy, timesteps = torch.randn(1, 4, 8, 8), torch.tensor([7])
    added = {"text_embeds": theirs[2], "time_ids": torch.tensor([[64, 64, 0, 0, 64, 64]])} if family == "sdxl" else None
    answer = pipeline.unet(noisy, timesteps, theirs[0], added_cond_kwargs=added).sample
    assert answer.std() > 0.1 and torch.allclose(answer, model.predict(noisy, timesteps, ours), atol=1e-4)
    pixels = torch.rand(1, 3, 16, 16)
    factor = pipeline.vae.config.scaling_factor
    latents = pipeline.vae.encode(pixels).latent_dist.mean * factor
    assert torch.allclose(latents, model.encode_pictures(pixels)[0], atol=1e-5)
    assert torch.allclose(pipeline.scheduler.alphas_cumprod, model.alphas_cumprod, atol=1e-6)


def test_a_folder_is_the_model_as_it_is_now_in_the_wanted_format_and_is_read_by_us(family, source, tmp_path):
    model = load_model(source, torch.float32, CPU)
    with torch.no_grad():
        model.parts["unet"].conv_in.weight.fill_(0.25)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "old").touch()
    write_checkpoint(model, tmp_path / "folder", torch.bfloat16, form="diffusers")
    assert not (tmp_path / "folder" / "old").exists()
    stored = tensors_of(tmp_path / "folder" / "unet" / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in stored.values()} == {torch.bfloat16} and (stored["conv_in.weight"] == 0.25).all()
    again, expected = load_model(tmp_path / "folder", torch.float32, CPU), model.original_tensors()
    assert again.family == family
    found = again.original_tensors()
    unused = ("logit_scale", "counts", "betas", "cond_stage_model.model.text_projection")
    assert {name for name in expected if name not in found} <= {name for name in expected if name.endswith(unused)}
    last = "cond_stage_model.model.transformer.resblocks.2."  # a folder does not have it
    for name in found:
        if family != "sd2" or not name.startswith(last):
            assert torch.equal(found[name].float(), expected[name].bfloat16().float()), name


def test_a_folder_with_a_nan_is_not_written(tmp_path):
    model = load_model(miniature_checkpoint(tmp_path / "source.safetensors"), torch.float32, CPU)
    with torch.no_grad():
        model.parts["unet"].conv_out.bias[0] = float("nan")
    with pytest.raises(Exception, match=r"conv_out\.bias holds values that are not finite"):
        write_checkpoint(model, tmp_path / "folder", form="diffusers")
    assert [file.name for file in tmp_path.iterdir()] == ["source.safetensors"]


@pytest.mark.parametrize("form", ["safetensors", "ckpt", "diffusers"])
def test_the_velocity_is_told_beside_or_in_what_is_written(family, source, form, tmp_path):
    model = load_model(source, torch.float32, CPU)
    assert model.parts and model.webui_config() is None
    model.prediction = "v"
    path = tmp_path / ("again" + {"safetensors": ".safetensors", "ckpt": ".ckpt", "diffusers": ""}[form])
    write_checkpoint(model, path, form=form)
    assert load_model(path, torch.float32, CPU).prediction == "v"
    assert path.with_suffix(".yaml").exists() == (form != "diffusers")
    with torch.no_grad():  # and the configuration changes nothing else
        again, inputs = load_model(path, torch.float32, CPU), (torch.randn(1, 4, 8, 8), torch.tensor([5]))
        text = model.encode_text(model.tokenize(["a cat"]), 1)
        assert torch.equal(again.encode_text(again.tokenize(["a cat"]), 1), text)
        assert torch.equal(again.predict(*inputs, text), model.predict(*inputs, text))
        pixels = torch.rand(1, 3, 16, 16)
        assert torch.equal(again.encode_pictures(pixels)[0], model.encode_pictures(pixels)[0])


def test_the_sources_own_configuration_comes_along_with_its_text_encoders_folder_in_full(tmp_path):
    source = miniature_checkpoint(tmp_path / "one" / "source.safetensors")
    (tmp_path / "one" / "clip").mkdir()
    config = {"num_attention_heads": 2, "hidden_act": "gelu"}
    (tmp_path / "one" / "clip" / "config.json").write_text(json.dumps(config), encoding="utf-8")
    told = {"unet_config": {"params": {"num_heads": 4}}, "cond_stage_config": {"params": {"version": "clip"}}, "a": 1}
    source.with_suffix(".yaml").write_text(json.dumps({"model": {"params": told}}), encoding="utf-8")
    model = load_model(source, torch.float32, CPU)
    write_checkpoint(model, tmp_path / "two" / "again.safetensors")
    written = yaml.safe_load((tmp_path / "two" / "again.yaml").read_text(encoding="utf-8"))["model"]["params"]
    assert written == {**told, "cond_stage_config": {"params": {"version": str(tmp_path / "one" / "clip")}},
                       "parameterization": "eps"}  # fmt: skip
    again = load_model(tmp_path / "two" / "again.safetensors", torch.float32, CPU)
    text = [one.encode_text(one.tokenize(["a cat"]), 1) for one in (model, again)]
    assert torch.equal(*text)


def test_a_configuration_of_another_model_beside_the_file_is_refused(tmp_path):
    model = load_model(sdxl_checkpoint(tmp_path / "source.safetensors"), torch.float32, CPU)
    (tmp_path / "again.yaml").write_text("model: {}", encoding="utf-8")
    with pytest.raises(OutputError, match=r"again\.yaml lies there, by which the WebUI would read it as another model"):
        write_checkpoint(model, tmp_path / "again.safetensors")
    assert not (tmp_path / "again.safetensors").exists()


def test_the_configurations_of_the_real_sizes_are_those_of_the_webui():
    """By hand from v1-inference.yaml, v2-inference-v.yaml and sd_xl_base.yaml."""
    one = webui_config(FULL, Settings((8,) * 4, 12, prediction="v"), "v")["model"]["params"]
    assert one["unet_config"]["params"] == {
        "use_checkpoint": False, "image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 320,
        "attention_resolutions": [4, 2, 1], "num_res_blocks": 2, "channel_mult": [1, 2, 4, 4], "num_heads": 8,
        "use_spatial_transformer": True, "transformer_depth": 1, "context_dim": 768, "legacy": False,
    }  # fmt: skip
    assert one["parameterization"] == "v" and one["conditioning_key"] == "crossattn"
    assert one["cond_stage_config"] == {"target": "ldm.modules.encoders.modules.FrozenCLIPEmbedder"}
    ddconfig = one["first_stage_config"]["params"]["ddconfig"]
    assert (ddconfig["ch"], ddconfig["ch_mult"], ddconfig["num_res_blocks"]) == (128, [1, 2, 4, 4], 2)
    two = webui_config(SD2_FULL, Settings((5, 10, 20, 20), 16), "v")["model"]["params"]
    unet = two["unet_config"]["params"]
    assert (unet["num_head_channels"], unet["use_linear_in_transformer"], unet["context_dim"]) == (64, True, 1024)
    assert "num_heads" not in unet
    assert two["cond_stage_config"]["params"] == {"freeze": True, "layer": "penultimate"}
    xl = webui_config(SDXL_FULL, Settings((5, 10, 20), 12, latent_factor=0.13025), "v")["model"]["params"]
    network = xl["network_config"]["params"]
    assert network["transformer_depth"] == [1, 2, 10] and network["attention_resolutions"] == [4, 2]
    assert (network["adm_in_channels"], network["context_dim"], network["num_head_channels"]) == (2816, 2048, 64)
    assert xl["scale_factor"] == 0.13025
    denoiser = xl["denoiser_config"]["params"]
    assert denoiser["scaling_config"]["target"].endswith(".VScaling")
    assert denoiser["weighting_config"]["target"].endswith(".VWeighting")
    assert xl["conditioner_config"]["params"]["emb_models"][0]["params"] == {"layer": "hidden", "layer_idx": 11}


class Ones:
    """A table of three tensors of ones."""

    def __iter__(self):
        return iter("abc")

    def __getitem__(self, name):
        return torch.ones(50)

    def shape(self, name):
        return (50,)

    def stored_dtype(self, name):
        return torch.float32


@pytest.mark.parametrize(("begin", "extended"), [(2**31 + 64, 0), (2**32 - 300, 5), (2**32 + 64, 6)])
def test_places_in_a_ckpt_are_extended_from_four_gigabytes_on_as_old_pytorch_reads_them(tmp_path, begin, extended):
    """PyTorch 2.1 and 2.3 add an entry's size to the mark for an extended place, and want the sum inside the file."""
    path = tmp_path / "large.ckpt"
    with path.open("wb") as file:
        file.write(b"PK\x03\x04")  # by which PyTorch knows an archive; then a hole
        file.seek(begin)
        write_pickle(file, Writing(path, Ones()))
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        assert sum(bool(entry.extra) for entry in entries) == extended
        assert all(bool(entry.extra) == (entry.header_offset >= 2**32 - 1) for entry in entries)
        assert all(2**32 - 1 + 30 + entry.file_size <= path.stat().st_size for entry in entries if entry.extra)
    loaded = torch.load(path, weights_only=True, mmap=True)["state_dict"]
    assert list(loaded) == list("abc") and all(torch.equal(tensor, torch.ones(50)) for tensor in loaded.values())
