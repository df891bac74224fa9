"""The table of what can be trained."""

from __future__ import annotations

from lib_trainer.core.registry import Registry
from lib_trainer.trainables.base import TrainableOptions
from lib_trainer.trainables.difference import Difference
from lib_trainer.trainables.dora import Dora
from lib_trainer.trainables.full import Full
from lib_trainer.trainables.hypernetwork import Hypernetwork
from lib_trainer.trainables.loha import Loha
from lib_trainer.trainables.lokr import Lokr
from lib_trainer.trainables.lora import Lora
from lib_trainer.trainables.norms import Norms
from lib_trainer.trainables.textual_inversion import TextualInversion

TRAINABLES: Registry[TrainableOptions] = Registry(
    "trainable",
    {
        "lora": Lora,
        "dora": Dora,
        "loha": Loha,
        "lokr": Lokr,
        "difference": Difference,
        "norms": Norms,
        "full": Full,
        "hypernetwork": Hypernetwork,
        "textual_inversion": TextualInversion,
    },
)
