"""Florence-2 (Xiao et al., 2023; MIT licence): sentences from short to a paragraph, in a small model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lib_trainer.core.host_desk import HostDesk
from lib_trainer.core.options import option
from lib_trainer.images.captioners.base import Device
from lib_trainer.images.captioners.model_files import ModelFiles
from lib_trainer.images.captioners.pretrained import enough_memory, is_pretrained, load_weights, readable

if TYPE_CHECKING:
    from PIL import Image

TASKS = {"short": "<CAPTION>", "long": "<DETAILED_CAPTION>", "paragraph": "<MORE_DETAILED_CAPTION>"}


def is_florence2(path: Path) -> bool:
    """Whether a folder holds a Florence-2 in the form that transformers reads without foreign code.

    Microsoft's own upload has other names inside and brings code of its own, which is not run here.
    """
    has_code = any(path.glob("modeling_*.py"))
    return not has_code and is_pretrained(path, "florence2", "Florence2ForConditionalGeneration")


@dataclass(frozen=True)
class Florence2(ModelFiles):
    """A sentence or a paragraph by Florence-2, the best of its size; needs 1 to 3 GB."""

    kind: ClassVar[str] = "Florence-2"
    recognises = staticmethod(is_florence2)

    detail: Literal["short", "long", "paragraph"] = option("long", "How much is said about each picture.")
    beams: int = option(
        3, "Sentences that a beam search follows at once; 1 takes the likeliest word each time.", ge=1, le=32
    )
    most_tokens: int = option(256, "Longest text.", ge=2, le=1024, unit="tokens")

    def load(self, device: Device, desk: HostDesk | None = None) -> LoadedFlorence2:
        """Read the model.

        Raises:
            ModelError: there is none, or it can't be used.
        """
        from transformers import AutoTokenizer, Florence2ForConditionalGeneration, Florence2Processor
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        folder = self.found()
        with readable(folder):
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            pictures = CLIPImageProcessorPil.from_pretrained(folder, local_files_only=True)
            processor = Florence2Processor(pictures, tokenizer)
        return LoadedFlorence2(self, load_weights(Florence2ForConditionalGeneration, folder, device), processor, device)


@dataclass(frozen=True)
class LoadedFlorence2:
    """Florence-2 in memory."""

    options: Florence2
    model: Any
    processor: Any
    where: Device

    def prepare(self, picture: Image.Image) -> Any:
        """The pixels and the task, as the model was trained on them."""
        return self.processor(images=picture, text=TASKS[self.options.detail], return_tensors="pt")

    def describe(self, prepared: list[Any]) -> list[str]:
        """A text for each picture."""
        import torch

        names = ("pixel_values", "input_ids", "attention_mask")
        stacked = {name: torch.cat([one[name] for one in prepared]).to(self.where) for name in names}
        stacked["pixel_values"] = stacked["pixel_values"].to(self.model.dtype)
        told = {"num_beams": self.options.beams, "max_new_tokens": self.options.most_tokens, "do_sample": False}
        with torch.inference_mode(), enough_memory():
            tokens = self.model.generate(**stacked, **told)
        texts: list[str] = self.processor.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]
