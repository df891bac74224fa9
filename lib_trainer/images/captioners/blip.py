"""BLIP (Li et al., 2022): short sentences about photos and drawings alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lib_trainer.core.errors import ConfigError, ModelError
from lib_trainer.core.host_desk import HostDesk
from lib_trainer.core.options import option
from lib_trainer.images.captioners.base import Device
from lib_trainer.images.captioners.model_files import ModelFiles
from lib_trainer.images.captioners.pretrained import enough_memory, is_pretrained, load_weights, readable

if TYPE_CHECKING:
    import torch
    from PIL import Image

OWN_WORDS = 2  # the model's own marks, of which its tokenizer knows nothing
# Words that the large model says out of nowhere; it learned them from captions of a broken data set.
MADE_UP = ("arafed", "araffe", "araffed", "araffes", "arafe", "arafes")


def is_blip(path: Path) -> bool:
    """Whether a folder holds a BLIP that writes captions."""
    return is_pretrained(path, "blip", "BlipForConditionalGeneration")


@dataclass(frozen=True)
class Blip(ModelFiles):
    """A short sentence by BLIP; 'large' knows more, 'base' is quicker. Needs 1 to 2 GB."""

    kind: ClassVar[str] = "BLIP"
    recognises = staticmethod(is_blip)

    method: Literal["beam", "nucleus"] = option(
        "beam", "'beam' writes the likeliest sentence, 'nucleus' draws words by chance, for more variety."
    )
    beams: int = option(
        3, "Sentences that a beam search follows at once; 1 takes the likeliest word each time.", ge=1, le=32
    )
    top_p: float = option(0.9, "How much of the likeliest words 'nucleus' draws from.", ge=0.01, le=1)
    seed: int = option(42, "Where the chance of 'nucleus' begins; the same seed and batches say the same.", ge=0)
    min_length: int = option(5, "Shortest sentence.", ge=1, le=500, unit="tokens")
    max_length: int = option(75, "Longest sentence.", ge=2, le=500, unit="tokens")
    prefix: str = option("", "Words that each sentence begins with and goes on from, such as 'a photo of'.")
    avoid: tuple[str, ...] = option(MADE_UP, "Words that it may not say; these are known mistakes of the large model.")

    def load(self, device: Device, desk: HostDesk | None = None) -> LoadedBlip:
        """Read the model.

        Raises:
            ModelError: there is none, or it can't be used.
            ConfigError: the shortest sentence is longer than the longest.
        """
        if self.min_length > self.max_length:
            raise ConfigError(
                f"'describer.min_length' is {self.min_length}, but 'describer.max_length' is {self.max_length}; "
                "make the shortest sentence no longer than the longest."
            )
        from transformers import AutoTokenizer, BlipForConditionalGeneration
        from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

        folder = self.found()
        with readable(folder):
            tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            pictures = BlipImageProcessorPil.from_pretrained(folder, local_files_only=True)
        model = load_weights(BlipForConditionalGeneration, folder, device)
        words = model.config.text_config.vocab_size - OWN_WORDS
        if len(tokenizer) < words:
            raise ModelError(f"{folder} has {len(tokenizer)} of its model's {words} words; fetch its files again.")
        return LoadedBlip(self, model, tokenizer, pictures, device)

    def told(self, tokenizer: Any) -> dict[str, Any]:
        """What the sentence is to be like, for `generate`."""
        avoided = [tokenizer(word, add_special_tokens=False).input_ids for word in self.avoid if word.strip()]
        lengths = {"min_length": self.min_length, "max_length": self.max_length, "bad_words_ids": avoided or None}
        if self.method == "beam":
            return {**lengths, "do_sample": False, "num_beams": self.beams}
        return {**lengths, "do_sample": True, "num_beams": 1, "top_p": self.top_p, "top_k": 0}


@dataclass(frozen=True)
class LoadedBlip:
    """BLIP in memory."""

    options: Blip
    model: Any
    tokenizer: Any
    pictures: Any
    where: Device

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """The pixels [3, side, side] as the model was trained on them."""
        prepared: torch.Tensor = self.pictures(picture, return_tensors="pt").pixel_values[0]
        return prepared

    def describe(self, prepared: list[Any]) -> list[str]:
        """A sentence for each picture."""
        import torch

        pixels = torch.stack(prepared).to(self.where, self.model.dtype)
        told = self.options.told(self.tokenizer)
        prefix = self.options.prefix.strip()
        if prefix:
            words = self.tokenizer([prefix] * len(prepared), return_tensors="pt").to(self.where)
            told = {**told, "input_ids": words.input_ids, "attention_mask": words.attention_mask}
        if self.options.method == "nucleus":
            torch.manual_seed(self.options.seed)
        with torch.inference_mode(), enough_memory():
            tokens = self.model.generate(pixel_values=pixels, **told)
        texts: list[str] = self.tokenizer.batch_decode(tokens, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]
