"""A comparison draws with hypernetworks' files as with any network's."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.engine

from lib_trainer.comparison.cells import request_for  # noqa: E402
from lib_trainer.comparison.plan import plan  # noqa: E402
from lib_trainer.models.loading import load_model  # noqa: E402
from lib_trainer.models.sampling import sample  # noqa: E402
from lib_trainer.weights.hypernetworks import write_hypernetwork  # noqa: E402
from lib_trainer.weights.metadata import NetworkFacts  # noqa: E402
from lib_trainer.weights.results import Result  # noqa: E402
from tests.comparison.conftest import APPLE, MODEL  # noqa: E402
from tests.trainables.test_hypernetwork import KINDS, stirred  # noqa: E402

FACTS = NetworkFacts("sd1", "emoji-tiny", "epsilon", 64, 1, "", 1.0, 2.0, 1, 4, 0)


def test_each_epoch_of_a_folder_is_drawn_as_from_memory_at_its_strength(compare, options, pixels, tmp_path):
    model = load_model(MODEL, torch.float32, torch.device("cpu"))
    network = stirred(KINDS["narrow"], model)
    path = tmp_path / "epochs" / "style-e001.pt"
    write_hypernetwork(path, Result(model, network, path.stem, FACTS, torch.float32, "pt", original_names=False))
    made = options(networks=(path.parent,), strengths=(0.5,))
    network.set_strength(0.5)
    wanted = sample(model, request_for(made, plan(made).cells[1:]))[0].tobytes()
    result = compare(made)
    alone, drawn = pixels(result)
    assert drawn == wanted != alone
    from PIL import Image

    assert Image.open(result["cells"][1]).info["parameters"].startswith(f"{APPLE} <hypernet:style-e001:0.5>\n")
