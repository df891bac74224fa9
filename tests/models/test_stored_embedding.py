"""The table of tokens in 16 bits gives what a table in 32 bits gives."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.stored_embedding import StoredEmbedding  # noqa: E402
from tests.models.miniature import miniature_checkpoint, miniature_tensors  # noqa: E402

TABLE = "embeddings.token_embedding.weight"
ORIGINAL = "cond_stage_model.transformer.text_model." + TABLE


def table(tmp_path, stored, wanted):
    file = miniature_checkpoint(tmp_path / "model.safetensors", dtype=stored)
    model = load_model(file, wanted, torch.device("cpu"))
    return model, model.parts["text_encoder"].get_parameter(TABLE)


@pytest.mark.parametrize(
    ("stored", "wanted", "kept"),
    [
        (torch.float16, torch.float32, torch.float16),
        (torch.bfloat16, torch.float32, torch.bfloat16),
        (torch.float32, torch.float32, torch.float32),
        (torch.float32, torch.bfloat16, torch.bfloat16),
        (torch.float16, torch.bfloat16, torch.bfloat16),
        (torch.bfloat16, torch.bfloat16, torch.bfloat16),
    ],
)
def test_the_table_is_kept_as_stored_where_that_loses_nothing(tmp_path, stored, wanted, kept):
    model, weight = table(tmp_path, stored, wanted)
    assert weight.dtype == kept
    rows = model.parts["text_encoder"].embeddings.token_embedding(torch.tensor([[5, 49407]]))
    assert torch.equal(rows[0], miniature_tensors(dtype=stored)[ORIGINAL][[5, 49407]].to(wanted))


def test_texts_are_encoded_as_with_a_table_in_32_bits(tmp_path):
    model, weight = table(tmp_path, torch.float16, torch.float32)
    ids = model.tokenize(["a photo of a cat"])
    with torch.no_grad():
        short = model.encode_text(ids, 1)
        weight.data = weight.data.float()
        assert short.dtype == torch.float32
        assert torch.equal(short, model.encode_text(ids, 1))


def test_rows_come_in_the_type_of_the_arithmetic():
    embedding = StoredEmbedding(4, 2, dtype=torch.float16)
    embedding.arithmetic = torch.bfloat16
    assert embedding(torch.tensor([1])).dtype == torch.bfloat16
