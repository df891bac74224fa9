"""The two tables of captioners: those that write sentences, and those that write tags."""

from __future__ import annotations

from lib_trainer.core.registry import Registry
from lib_trainer.images.captioners.base import DescriberOptions, TaggerOptions
from lib_trainer.images.captioners.blip import Blip
from lib_trainer.images.captioners.deepdanbooru import DeepDanbooru
from lib_trainer.images.captioners.florence2 import Florence2
from lib_trainer.images.captioners.nothing import Nothing
from lib_trainer.images.captioners.wd14 import Wd14
from lib_trainer.images.captioners.webui import WebuiDeepbooru, WebuiInterrogator

DESCRIBERS: Registry[DescriberOptions] = Registry(
    "captioner", {"none": Nothing, "blip": Blip, "florence2": Florence2, "webui": WebuiInterrogator}
)
TAGGERS: Registry[TaggerOptions] = Registry(
    "tagger", {"none": Nothing, "wd14": Wd14, "deepdanbooru": DeepDanbooru, "webui deepbooru": WebuiDeepbooru}
)
