"""Models and networks are told apart by their bytes, and named as the WebUI does."""

from __future__ import annotations

import shutil
from hashlib import sha256

import pytest

pytestmark = pytest.mark.engine
pytest.importorskip("torch")

from lib_trainer.comparison.digests import model_digest, network_digest  # noqa: E402
from lib_trainer.core.errors import ModelError  # noqa: E402


@pytest.fixture
def model_file(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"weights")
    return path


def test_a_models_shown_digest_is_the_start_of_its_files_sha256(model_file):
    assert model_digest(model_file).shown == sha256(b"weights").hexdigest()[:10]


def test_another_configuration_beside_a_model_is_another_model(model_file):
    alone = model_digest(model_file)
    model_file.with_suffix(".yaml").write_text("model: {}", encoding="utf-8")
    assert model_digest(model_file).whole != alone.whole
    assert model_digest(model_file).shown == alone.shown


def test_a_copied_model_is_the_same_model(model_file, tmp_path):
    copy = tmp_path / "copy.safetensors"
    shutil.copyfile(model_file, copy)
    assert model_digest(copy) == model_digest(model_file)


def test_a_changed_file_in_a_diffusers_folder_is_another_model(tmp_path):
    file = tmp_path / "folder" / "unet" / "weights.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    before = model_digest(tmp_path / "folder")
    assert before.shown == ""
    assert model_digest(tmp_path / "folder") == before
    file.write_bytes(b"other weights")
    assert model_digest(tmp_path / "folder").whole != before.whole


def test_a_missing_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"none\.safetensors can't be read"):
        model_digest(tmp_path / "none.safetensors")


def test_a_networks_digest_is_of_its_tensors_and_not_of_its_header(make_network):
    plain, titled = make_network("plain"), make_network("titled", ss_epoch="7")
    assert plain.read_bytes() != titled.read_bytes()
    assert network_digest(plain) == network_digest(titled)
    assert network_digest(plain).whole != network_digest(make_network("other", seed=2)).whole


def test_a_networks_shown_digest_is_the_header_hash_that_the_webui_reads(make_network):
    from safetensors import safe_open

    network = make_network("style")
    with safe_open(network, "pt") as file:
        written = file.metadata()["sshs_model_hash"]
    assert network_digest(network).shown == written[:12]


def test_without_a_hash_in_the_header_it_is_computed_from_the_tensors(tmp_path):
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "plain.safetensors"
    values = torch.arange(4, dtype=torch.float32)
    save_file({"values": values}, path)
    assert network_digest(path).shown == sha256(values.numpy().tobytes()).hexdigest()[:12]
