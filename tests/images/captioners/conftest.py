"""Pictures and a miniature WD14 tagger, made on the spot."""

from __future__ import annotations

import pytest


@pytest.fixture
def photos(tmp_path):
    """Five pictures of several shapes, two of them in a folder inside."""
    from PIL import Image

    folder = tmp_path / "photos"
    for number, (name, size) in enumerate(
        {"a.png": (60, 40), "b.png": (32, 32), "c.png": (20, 50), "in/d.png": (90, 90), "in/e.png": (48, 31)}.items()
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise(size, 60 + 20 * number).convert("RGB").save(path)
    return folder


@pytest.fixture
def tagger(tmp_path):
    """The folder of a miniature tagger."""
    from wd14_miniature import make_tagger

    return make_tagger(tmp_path / "taggers" / "mini")
