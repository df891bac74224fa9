"""Taggers of the WD14 family: an ONNX file that sees anime and art tags, with their list beside it.

Preparing pictures follows the models' own demo (SmilingWolf/wd-tagger): a white square, BGR, values 0 to 255.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lib_trainer.core.errors import ModelError
from lib_trainer.core.host_desk import HostDesk
from lib_trainer.core.options import option
from lib_trainer.images.captioners.base import Device, Tag
from lib_trainer.images.captioners.model_files import ModelFiles
from lib_trainer.images.captioners.tag_list import TAG_LIST, ListedTag, read_tag_list

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

KIND = "wd14"
MODEL_FILE = "model.onnx"
ALWAYS = ("rating", "quality")  # kept whatever their score: of each only the surest is written


def is_wd14(path: Path) -> bool:
    """Whether a folder holds such a tagger."""
    return (path / MODEL_FILE).is_file() and (path / TAG_LIST).is_file()


@dataclass(frozen=True)
class Wd14(ModelFiles):
    """Tags of anime and art (and well of photos) by a tagger of the WD14 family; needs no graphics card."""

    kind: ClassVar[str] = "WD14"
    recognises = staticmethod(is_wd14)

    general: float = option(0.35, "How sure a tag must be to be written.", ge=0, le=1)
    character: float = option(0.85, "The same for names of characters; 1 leaves them out.", ge=0, le=1)
    other: float = option(0.5, "The same for artists, series and all other kinds of tags.", ge=0, le=1)

    def threshold(self, category: str) -> float:
        """How sure a tag of that category must be."""
        known = {"general": self.general, "character": self.character, **dict.fromkeys(ALWAYS, 0.0)}
        return known.get(category, self.other)

    def load(self, device: Device, desk: HostDesk | None = None) -> LoadedWd14:
        """Read the model and its list.

        Raises:
            ModelError: there is none, or the two do not fit.
        """
        folder = self.found()
        tags = read_tag_list(folder / TAG_LIST)
        session = open_session(folder / MODEL_FILE, device)
        (taken,), given = session.get_inputs(), session.get_outputs()[0]
        shape = taken.shape
        if len(shape) != 4 or shape[3] != 3 or not isinstance(shape[1], int) or shape[1] != shape[2]:
            raise ModelError(f"{folder / MODEL_FILE} takes {shape}; a WD14 tagger takes pictures [n, side, side, 3].")
        if isinstance(given.shape[-1], int) and given.shape[-1] != len(tags):
            raise ModelError(
                f"{folder / MODEL_FILE} gives {given.shape[-1]} numbers, but {TAG_LIST} beside it has {len(tags)} "
                "tags; the two belong to different models. Fetch both again."
            )
        fixed = shape[0] if isinstance(shape[0], int) and shape[0] > 0 else None
        return LoadedWd14(session, tags, [self.threshold(tag.category) for tag in tags], shape[1], fixed)


def open_session(path: Path, device: Device) -> Any:
    """An ONNX model ready to run; on the processor where this ONNX Runtime can't use the graphics card.

    Raises:
        ModelError: the file can't be read as one.
    """
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as states

    providers = ["CPUExecutionProvider"]
    if device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        providers.insert(0, "CUDAExecutionProvider")
    damage = (states.InvalidProtobuf, states.InvalidGraph, states.Fail, states.NoSuchFile, states.InvalidArgument)
    try:
        return onnxruntime.InferenceSession(str(path), providers=providers)
    except damage as error:
        raise ModelError(f"{path} can't be read as an ONNX model ({_short(error)}); fetch it again.") from error


def _short(error: Exception) -> str:
    return str(error).splitlines()[0][:200]


@dataclass(frozen=True)
class LoadedWd14:
    """A tagger in memory; `batch` is the number of pictures that it takes at once, where the file fixes that."""

    session: Any
    tags: list[ListedTag]
    thresholds: list[float]
    side: int
    batch: int | None

    @property
    def where(self) -> str:
        """The device that computes."""
        return "cuda" if "CUDAExecutionProvider" in self.session.get_providers() else "cpu"

    def prepare(self, picture: Image.Image) -> np.ndarray[Any, Any]:
        """The picture [side, side, 3] in the middle of a white square, BGR, fp32 from 0 to 255."""
        import numpy as np
        from PIL import Image

        longest = max(picture.size)
        square = Image.new("RGB", (longest, longest), (255, 255, 255))
        square.paste(picture, ((longest - picture.width) // 2, (longest - picture.height) // 2))
        if longest != self.side:
            square = square.resize((self.side, self.side), Image.Resampling.BICUBIC)
        return np.ascontiguousarray(np.asarray(square, np.float32)[:, :, ::-1])

    def tag(self, prepared: list[Any]) -> list[list[Tag]]:
        """The tags of each picture that are sure enough."""
        return [self._named(scores) for scores in self._scores(prepared)]

    def _scores(self, prepared: list[Any]) -> list[Any]:
        import numpy as np

        size = self.batch or len(prepared)
        name = self.session.get_inputs()[0].name
        scores: list[Any] = []
        for start in range(0, len(prepared), size):
            part = prepared[start : start + size]
            filled = part + [part[0]] * (size - len(part))
            scores.extend(self.session.run(None, {name: np.stack(filled)})[0][: len(part)])
        return scores

    def _named(self, scores: Any) -> list[Tag]:
        if len(scores) != len(self.tags):
            raise ModelError(f"The tagger gives {len(scores)} numbers, but {TAG_LIST} has {len(self.tags)} tags.")
        rows = zip(self.tags, scores.tolist(), self.thresholds, strict=True)
        return [Tag(tag.name, tag.category, score) for tag, score, least in rows if score >= least and least < 1]
