"""Network files: written, read by other programs, and opened again."""

from __future__ import annotations

import hashlib
import json

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from safetensors import safe_open  # noqa: E402
from safetensors.torch import load_file, save_file  # noqa: E402

from lib_trainer.core import whole_files  # noqa: E402
from lib_trainer.core.errors import ModelError, TrainingError  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sd1_layout import POSITIONS, TEXT, TOKENS, Layout, TextSizes, UnetSizes, VaeSizes  # noqa: E402
from lib_trainer.trainables.file_names import in_original_names  # noqa: E402
from lib_trainer.trainables.lora import Lora  # noqa: E402
from lib_trainer.weights.networks import check_matches, open_network, write_network  # noqa: E402
from tests.models import miniature  # noqa: E402

BOTH = ["unet", "text_encoder"]
# As deep as Stable Diffusion 1 is, and thin.
STANDARD = Layout(
    UnetSizes((32, 64, 64, 64), (True, True, True, False), layers=2, text_width=64, latent_channels=4),
    VaeSizes(channels=(32, 32, 32, 32), layers=1, latent_channels=4),
    TextSizes(width=64, inner_width=128, layers=3, tokens=TOKENS, positions=POSITIONS),
)
TENSORS = {
    "lora_unet_a.lora_down.weight": torch.arange(6.0).reshape(2, 3),
    "lora_unet_a.lora_up.weight": torch.ones(4, 2),
    "lora_unet_a.alpha": torch.tensor(2.0),
}


@pytest.fixture(scope="module")
def standard_file(tmp_path_factory):
    """A checkpoint of Stable Diffusion 1's layout, thin."""
    path = tmp_path_factory.mktemp("standard") / "standard.safetensors"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(miniature, "MINIATURE", STANDARD)
        return miniature.miniature_checkpoint(path, dtype=torch.float32)


@pytest.fixture
def model(standard_file):
    return load_model(standard_file, torch.float32, torch.device("cpu"))


def network_on(model, options, parts=BOTH):
    """A network whose layers all add something."""
    network = options.attach(model, parts, 0)
    random = torch.Generator().manual_seed(1)
    for part in parts:
        for up in network.parameters(part)[1::2]:
            up.data.copy_(torch.randn(up.shape, generator=random) * 0.1)
    return network


def metadata_of(path):
    with safe_open(path, "pt") as file:
        return file.metadata()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_others_read_the_names_values_and_header_that_were_written(tmp_path, dtype):
    path = tmp_path / "network.safetensors"
    write_network(path, TENSORS, dtype, {"ss_output_name": "network"})
    found = load_file(path)
    assert found.keys() == TENSORS.keys()
    assert all(found[name].dtype == dtype and torch.equal(found[name], TENSORS[name].to(dtype)) for name in TENSORS)
    assert metadata_of(path)["ss_output_name"] == "network"
    assert list(tmp_path.iterdir()) == [path]


def test_the_hashes_are_those_that_the_webui_computes_from_the_file(tmp_path):
    path = tmp_path / "network.safetensors"
    large = {**TENSORS, "lora_unet_b.lora_up.weight": torch.randn(600, 1000)}  # beyond the first MB
    write_network(path, large, torch.float32, {"ss_output_name": "network"})
    data = path.read_bytes()
    behind_header = data[8 + int.from_bytes(data[:8], "little") :]
    found = metadata_of(path)
    assert found["sshs_model_hash"] == hashlib.sha256(behind_header).hexdigest()
    assert found["modelspec.hash_sha256"] == f"0x{found['sshs_model_hash']}"
    save_file(large, tmp_path / "bare.safetensors")
    bare = (tmp_path / "bare.safetensors").read_bytes()
    assert found["sshs_legacy_hash"] == hashlib.sha256(bare[0x100000:0x110000]).hexdigest()[:8]


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_values_that_are_not_finite_are_not_written(tmp_path, value):
    tensors = {**TENSORS, "lora_unet_a.lora_up.weight": torch.tensor([[1.0, value]])}
    with pytest.raises(TrainingError, match=r"network\.safetensors was not written: lora_unet_a\.lora_up\.weight "):
        write_network(tmp_path / "network.safetensors", tensors, torch.float32, {})
    assert list(tmp_path.iterdir()) == []


def test_values_that_fp16_can_not_hold_are_named_with_the_cure(tmp_path):
    large = {"lora_unet_a.lora_up.weight": torch.tensor([[70000.0]])}
    with pytest.raises(TrainingError, match=r"not finite as torch\.float16\. Save in bf16 or fp32"):
        write_network(tmp_path / "network.safetensors", large, torch.float16, {})
    write_network(tmp_path / "network.safetensors", large, torch.bfloat16, {})


def test_a_file_that_reads_back_differently_never_takes_its_name(tmp_path, monkeypatch):
    """A disk that loses a byte: the old file stays."""
    path = tmp_path / "network.safetensors"
    write_network(path, TENSORS, torch.float32, {"ss_output_name": "old"})
    plain = whole_files.Path.open

    class Forgetful:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            return self.file.write(data[:-1] + b"\x7f")

    def opened(path, mode="r", *rest, **named):
        file = plain(path, mode, *rest, **named)
        return Forgetful(file) if mode == "wb" else file

    monkeypatch.setattr(whole_files.Path, "open", opened)
    with pytest.raises(TrainingError, match="was not written: read back, 1 tensors differ; check the disk"):
        write_network(path, TENSORS, torch.float32, {})
    assert metadata_of(path)["ss_output_name"] == "old"
    assert list(tmp_path.iterdir()) == [path]


@torch.no_grad()
def predicted(model, clip_skip=1):
    random = torch.Generator().manual_seed(0)
    text = model.encode_text(model.tokenize(["a cat", "a dog"]), clip_skip)
    return model.predict(torch.randn(2, 4, 8, 8, generator=random), torch.tensor([100, 900]), text)


@pytest.mark.parametrize("original", [False, True])
def test_a_written_network_opened_again_predicts_the_same(model, tmp_path, original):
    network = network_on(model, Lora(rank=4, alpha=2, conv_rank=2))
    wanted, tensors = predicted(model), network.tensors()
    path = tmp_path / "network.safetensors"
    write_network(path, in_original_names(model, tensors) if original else tensors, torch.float32, network.metadata())
    check_matches(model, path, network)
    network.detach()
    assert not torch.allclose(predicted(model), wanted, atol=0.01)
    open_network(model, path)
    assert torch.equal(predicted(model), wanted)


def test_keys_that_the_model_does_not_have_are_an_error(model, tmp_path):
    network = network_on(model, Lora(rank=4))
    path = tmp_path / "network.safetensors"
    tensors = network.tensors()
    write_network(path, {**tensors, "lora_unet_odd.alpha": torch.ones(())}, torch.float32, {})
    with pytest.raises(TrainingError, match=r"1 of \d+ modules are not the model's \(lora_unet_odd\)"):
        check_matches(model, path, network)
    fewer = {name: tensor for name, tensor in tensors.items() if "mid_block" not in name}
    write_network(path, fewer, torch.float32, {})
    with pytest.raises(TrainingError, match="modules"):
        check_matches(model, path, network)


@pytest.mark.parametrize(
    ("tensors", "said"),
    [
        ({"some_params": torch.ones(2, 64)}, "is no network file of a known kind"),
        ({"lora_unet_odd.lora_down.weight": torch.ones(2, 2)}, "fit no layer"),
    ],
)
def test_files_of_another_kind_or_for_another_model_are_named(model, tmp_path, tensors, said):
    save_file(tensors, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=f"other.safetensors.*{said}"):
        open_network(model, tmp_path / "other.safetensors")


def diffusers_pipeline(path):
    """The checkpoint in diffusers' and transformers' own classes, its keys converted by diffusers."""
    from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
    from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    from lib_trainer.models.clip_tokens import FILES

    weights = load_file(path)
    unet = UNet2DConditionModel(block_out_channels=STANDARD.unet.channels, attention_head_dim=8, cross_attention_dim=64)
    unet.load_state_dict(convert_ldm_unet_checkpoint(dict(weights), dict(unet.config)))
    text = STANDARD.text
    text_encoder = CLIPTextModel(
        CLIPTextConfig(
            hidden_size=text.width,
            intermediate_size=text.inner_width,
            num_hidden_layers=text.layers,
            num_attention_heads=1,
            bos_token_id=49406,
            eos_token_id=49407,
        )
    )
    prefix = f"{TEXT}text_model."
    text_encoder.load_state_dict({name[len(prefix) :]: weights[name] for name in weights if name.startswith(prefix)})
    return StableDiffusionPipeline(
        vae=None,
        text_encoder=text_encoder.eval(),
        tokenizer=CLIPTokenizer.from_pretrained(FILES),
        unet=unet.eval(),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


@torch.no_grad()
def predicted_by_diffusers(pipeline):
    random = torch.Generator().manual_seed(0)
    ids = pipeline.tokenizer(["a cat", "a dog"], padding="max_length", max_length=77, return_tensors="pt").input_ids
    text = pipeline.text_encoder(ids)[0]
    return pipeline.unet(torch.randn(2, 4, 8, 8, generator=random), torch.tensor([100, 900]), text).sample


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (Lora(rank=4, alpha=2), ["unet"]),
        (Lora(rank=4, alpha=2), BOTH),
        (Lora(rank=4, alpha=2, conv_rank=2, conv_alpha=4), BOTH),
    ],
)
def test_diffusers_loads_every_key_and_predicts_what_we_do(model, standard_file, tmp_path, caplog, options, parts):
    pytest.importorskip("peft")
    base = predicted(model)
    network = network_on(model, options, parts)
    path = tmp_path / "network.safetensors"
    write_network(path, network.tensors(), torch.float32, network.metadata())
    pipeline = diffusers_pipeline(standard_file)
    assert torch.allclose(predicted_by_diffusers(pipeline), base, atol=1e-4)
    pipeline.load_lora_weights(tmp_path, weight_name=path.name)
    layers = [
        name
        for part in (pipeline.unet, pipeline.text_encoder)
        for name, _ in part.named_modules()
        if name.endswith("lora_A.default_0")
    ]
    assert len(layers) == network.matched == len(load_file(path)) / 3
    assert "unexpected keys" not in caplog.text
    ours = predicted(model)
    assert not torch.allclose(ours, base, atol=0.01)
    assert torch.allclose(predicted_by_diffusers(pipeline), ours, atol=1e-4)


def test_the_header_is_json_that_any_reader_of_the_format_takes(tmp_path):
    write_network(tmp_path / "network.safetensors", TENSORS, torch.float16, {"ss_tag_frequency": '{"a": {"Ä": 1}}'})
    data = (tmp_path / "network.safetensors").read_bytes()
    header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    assert json.loads(header["__metadata__"]["ss_tag_frequency"]) == {"a": {"Ä": 1}}
    assert header["lora_unet_a.alpha"]["dtype"] == "F16"
