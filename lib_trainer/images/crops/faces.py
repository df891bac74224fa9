"""Faces of people and cats in a picture, by the cascades that OpenCV brings with it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

Box = tuple[float, float, float, float]

# Which cascades look, and how many neighbouring finds make one face: those for people see some where there are none.
CASCADES = {
    "haarcascade_frontalface_alt2.xml": 6,
    "haarcascade_profileface.xml": 8,
    "haarcascade_frontalcatface.xml": 4,
    "haarcascade_frontalcatface_extended.xml": 4,
}
SIDE = 512  # pixels of the longer side on which faces are looked for
SMALLEST = 1 / 12  # of the shorter side; whatever is smaller is not what the picture is of
STEP = 1.1  # how much larger each next face may be
LOADING = threading.Lock()  # OpenCV takes itself out of the loaded modules for a moment while it is loaded


class FaceFinder:
    """Looks for faces from any number of threads; a cascade may be used by one thread only, so each has its own."""

    def __init__(self) -> None:
        self._own = threading.local()

    def find(self, picture: Image.Image) -> list[Box]:
        """The faces of an RGB picture, each as shares of its width and height: left, top, right, bottom."""
        small = picture.copy()
        small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
        grey = np.asarray(small.convert("L"))
        smallest = max(20, round(min(small.size) * SMALLEST))
        found = []
        for cascade, neighbours in zip(self._cascades(), CASCADES.values(), strict=True):
            faces = cascade.detectMultiScale(grey, STEP, neighbours, minSize=(smallest, smallest))
            found += [tuple(map(int, face)) for face in faces]
        wide, high = small.size
        return [(x / wide, y / high, (x + w) / wide, (y + h) / high) for x, y, w, h in found]

    def _cascades(self) -> list[Any]:
        if not hasattr(self._own, "cascades"):
            with LOADING:
                import cv2

            folder = Path(cv2.data.haarcascades)  # type: ignore[attr-defined]
            self._own.cascades = [cv2.CascadeClassifier(str(folder / name)) for name in CASCADES]
        return self._own.cascades  # type: ignore[no-any-return]
