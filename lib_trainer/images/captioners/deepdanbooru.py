"""DeepDanbooru, from the PyTorch form of its weights that the WebUI uses too; TensorFlow is not needed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from lib_trainer.core.errors import ModelError
from lib_trainer.core.host_desk import HostDesk
from lib_trainer.core.options import option
from lib_trainer.images.captioners.base import Device, Tag
from lib_trainer.images.captioners.deepdanbooru_network import CONVOLUTIONS, Network
from lib_trainer.images.captioners.model_files import ModelFiles
from lib_trainer.images.captioners.pretrained import enough_memory, readable

if TYPE_CHECKING:
    import torch
    from PIL import Image

SIDE = 512  # pixels
RATING = "rating:"
FILE = "model-resnet_custom_v3.pt"


def is_deepdanbooru(path: Path) -> bool:
    """Whether this is the weights' file, or a folder with it."""
    return (path.name == FILE and path.is_file()) or (path / FILE).is_file()


@dataclass(frozen=True)
class DeepDanbooru(ModelFiles):
    """Tags of anime by DeepDanbooru, the tagger of AUTOMATIC1111's Interrogate; older than the WD14 family."""

    kind: ClassVar[str] = "DeepDanbooru"
    recognises = staticmethod(is_deepdanbooru)

    threshold: float = option(0.5, "How sure a tag must be to be written; 1 leaves all out but ratings.", ge=0, le=1)

    def found(self) -> Path:
        """The file of the weights.

        Raises:
            ModelError: there is none.
        """
        place = super().found()
        return place / FILE if place.is_dir() else place

    def load(self, device: Device, desk: HostDesk | None = None) -> LoadedDeepDanbooru:
        """Read the model.

        Raises:
            ModelError: there is none, or it can't be used.
        """
        import torch

        file = self.found()
        with readable(file):
            told = torch.load(file, map_location="cpu", weights_only=True)
        tags = told.get("tags") if isinstance(told, dict) else None
        weights = {name: value for name, value in told.items() if name != "tags"} if isinstance(told, dict) else {}
        last = weights.get(f"n_Conv_{CONVOLUTIONS - 1}.weight")
        if not isinstance(tags, list) or last is None or len(tags) != len(last):
            raise ModelError(f"{file} is not DeepDanbooru's file with its tags; fetch it again.")
        wanted = torch.float16 if device == "cuda" else torch.float32
        moved = {name: value.to(device, wanted) for name, value in weights.items()}
        return LoadedDeepDanbooru(Network(moved), [str(tag) for tag in tags], self.threshold, device)


@dataclass(frozen=True)
class LoadedDeepDanbooru:
    """DeepDanbooru in memory."""

    network: Network
    tags: list[str]
    threshold: float
    where: Device

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """The picture [3, 512, 512] from 0 to 1, its longest side scaled to fit, its edges drawn out to a square."""
        import numpy as np
        import torch

        return torch.from_numpy(np.asarray(_square(picture), np.float32) / 255).permute(2, 0, 1)

    def tag(self, prepared: list[Any]) -> list[list[Tag]]:
        """The tags of each picture that are sure enough, and its ratings."""
        import torch

        kind = next(iter(self.network.weights.values())).dtype
        with torch.inference_mode(), enough_memory():
            scores = self.network.scores(torch.stack(prepared).to(self.where, kind)).float().tolist()
        return [self._named(each) for each in scores]

    def _named(self, scores: list[float]) -> list[Tag]:
        tags = []
        for name, score in zip(self.tags, scores, strict=True):
            if name.startswith(RATING):
                tags.append(Tag(name.removeprefix(RATING), "rating", score))
            elif score >= self.threshold and self.threshold < 1:
                tags.append(Tag(name, "general", score))
        return tags


def _square(picture: Image.Image) -> Image.Image:
    """As the WebUI's 'resize and fill', with which it shows pictures to this model, does it to the bit."""
    from PIL import Image

    longest = max(picture.size)
    wide, high = (max(1, length * SIDE // longest) for length in picture.size)
    small = picture.resize((wide, high), Image.Resampling.LANCZOS)
    square = Image.new("RGB", (SIDE, SIDE))
    left, top = SIDE // 2 - wide // 2, SIDE // 2 - high // 2
    square.paste(small, (left, top))
    for band, edge, corner in (
        ((left, SIDE), (0, 0, 0, high), (0, 0)),
        ((left, SIDE), (wide, 0, wide, high), (left + wide, 0)),
        ((SIDE, top), (0, 0, wide, 0), (0, 0)),
        ((SIDE, top), (0, high, wide, high), (0, top + high)),
    ):
        if all(band):
            square.paste(small.resize(band, box=edge), corner)
    return square
