"""The miniature in a file, loaded by us and by diffusers."""

from __future__ import annotations

import pytest


@pytest.fixture
def cpu():
    import torch

    return torch.device("cpu")


@pytest.fixture(scope="session")
def miniature_file(tmp_path_factory):
    """A miniature checkpoint in fp16; not to be changed."""
    from tests.models.miniature import miniature_checkpoint

    return miniature_checkpoint(tmp_path_factory.mktemp("miniature") / "miniature.safetensors")


@pytest.fixture
def model(miniature_file, cpu):
    """The miniature loaded by us in fp32."""
    import torch

    from lib_trainer.models.loading import load_model

    return load_model(miniature_file, torch.float32, cpu)


@pytest.fixture(scope="session")
def pipeline(miniature_file):
    """The miniature loaded by diffusers' and transformers' own code, key conversion included."""
    from tests.models.second_source import diffusers_pipeline

    return diffusers_pipeline(miniature_file)


@pytest.fixture(scope="session")
def folder(pipeline, tmp_path_factory):
    """The miniature as a folder that diffusers wrote; not to be changed."""
    path = tmp_path_factory.mktemp("folder")
    pipeline.save_pretrained(path)
    return path
