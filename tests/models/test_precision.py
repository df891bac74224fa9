"""The number format that `auto` takes, by the processor and the model's sizes."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.core.errors import ModelError  # noqa: E402
from lib_trainer.models import precision  # noqa: E402
from lib_trainer.models.precision import Precision, choose_precision  # noqa: E402
from tests.models.miniature import FULL, MINIATURE, hollow_checkpoint  # noqa: E402

CPU = torch.device("cpu")


@pytest.fixture
def file_of(tmp_path):
    """A checkpoint of these sizes, full of zeros that take no place on the disk."""

    def make(layout):
        return hollow_checkpoint(tmp_path / "model.safetensors", layout)

    return make


@pytest.mark.parametrize(
    ("layout", "supported", "wanted"),
    [
        (FULL, True, torch.bfloat16),
        (FULL, False, torch.float32),
        (MINIATURE, True, torch.float32),  # small operations are slower in bf16
        (MINIATURE, False, torch.float32),
    ],
)
def test_auto_takes_bf16_for_large_models_where_the_processor_multiplies_it(
    file_of, monkeypatch, layout, supported, wanted
):
    monkeypatch.setattr(precision.torch.cpu, "_is_avx512_bf16_supported", lambda: supported)
    assert choose_precision(CPU, file_of(layout), "auto") == Precision(wanted, wanted)


def test_what_is_told_holds_whatever_the_model(tmp_path):
    nothing = tmp_path / "nothing.safetensors"
    assert choose_precision(CPU, nothing, "bf16") == Precision(torch.bfloat16, torch.bfloat16)
    assert choose_precision(CPU, nothing, "bf16", "fp32") == Precision(torch.bfloat16, torch.float32)


def test_a_model_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(precision.torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    with pytest.raises(ModelError, match=r"nothing\.safetensors does not exist"):
        choose_precision(CPU, tmp_path / "nothing.safetensors", "auto")
