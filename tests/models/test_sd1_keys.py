import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.models.sd1_keys import KeyMap  # noqa: E402
from lib_trainer.models.sd1_layout import TEXT  # noqa: E402
from tests.models.miniature import FULL, MINIATURE, shapes_of  # noqa: E402

REFERENCE = Path(__file__).parents[1] / "reference" / "sd1_checkpoint_keys.json"
POSITION_IDS = f"{TEXT}text_model.embeddings.position_ids"  # optional in files found in the wild


def test_the_full_size_has_exactly_the_names_and_shapes_of_stable_diffusion_1_5():
    reference = {name: tuple(shape) for name, shape in json.loads(REFERENCE.read_text(encoding="utf-8")).items()}
    reference.pop(POSITION_IDS)
    assert shapes_of(FULL) == reference


def test_every_name_of_the_reference_goes_to_another_of_ours_and_back():
    names = json.loads(REFERENCE.read_text(encoding="utf-8"))
    keys = KeyMap(FULL, f"{TEXT}text_model.")
    ours = [keys.ours(name) for name in names]
    assert None not in ours and len(set(ours)) == len(names)
    assert [keys.original(name) for name in ours] == list(names)


def test_the_oldest_files_have_no_text_model_in_their_names():
    assert f"{TEXT}final_layer_norm.weight" in shapes_of(MINIATURE, text_prefix=TEXT)


@pytest.mark.parametrize("foreign", ["model_ema.decay", "betas", "model.diffusion_model.label_emb.0.0.weight"])
def test_a_name_that_no_module_has_is_not_translated(foreign):
    assert KeyMap(FULL, f"{TEXT}text_model.").ours(foreign) is None
