"""A loaded SDXL model."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from lib_trainer.models.diffusers_folder import SECOND, DiffusersFolder, text_names
from lib_trainer.models.outline import Names
from lib_trainer.models.sd1_model import Sd1Model
from lib_trainer.models.sdxl_layout import TEXT_NAMES
from lib_trainer.models.sdxl_names import SdxlNames
from lib_trainer.models.sdxl_text import TwoTextEncoders, unpacked
from lib_trainer.models.tensor_tables import PartTensors


class SdxlModel(Sd1Model):
    """The family's model."""

    family = "sdxl"
    zero_text_if_empty = True
    no_clip_skip = "SDXL the WebUI takes the layers before the last"

    def encode_text(self, ids: torch.Tensor, clip_skip: int) -> torch.Tensor:
        """Both encoders' hidden states side by side and the pooled state as a last row, [n, 78, width].

        Raises:
            ModelError: layers are to be skipped, which the WebUI does not do for this family.
        """
        self._check_clip_skip(clip_skip)
        return self._text_encoder(ids.to(self.device))  # type: ignore[no-any-return]

    def predict(
        self,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        text: torch.Tensor,
        frames: torch.Tensor | None = None,
        around: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The U-Net's output for noisy latents at integer timesteps [n]; see the protocol for `frames`."""
        states, pooled = unpacked(text.to(self.dtype), self._pooled_width)
        if frames is None:
            height, width = (side * self.pixels_per_latent for side in noisy.shape[2:])
            frames = torch.tensor([[height, width, 0, 0, height, width]]).expand(len(noisy), -1)
        added = {"text_embeds": pooled, "time_ids": frames.to(noisy.device)}
        output = self._unet(self._given(noisy, around), timesteps, states, added_cond_kwargs=added, return_dict=False)
        return output[0]  # type: ignore[no-any-return]

    @property
    def _pooled_width(self) -> int:
        assert self._layout.second_text is not None
        return self._layout.second_text.projection

    def _text_names(self) -> str | Mapping[str, str]:
        return TEXT_NAMES

    def _network_names(self) -> Names:
        return SdxlNames(self._keys)

    def _build_text_encoder(self) -> torch.nn.Module:
        assert self._layout.second_text is not None
        return TwoTextEncoders(self._layout.text, self._layout.second_text, self._settings)

    def _add_texts(self, folder: DiffusersFolder, tensors: PartTensors) -> None:
        first, second = text_names(tensors, "first."), text_names(tensors, "second.")
        second["text_projection.weight"] = "text_projection.weight"
        folder.add_text_encoder("text_encoder", self._text_encoder.first, tensors.renamed(first))
        folder.add_text_encoder(SECOND, self._text_encoder.second, tensors.renamed(second), self._pooled_width)
        folder.add_tokenizer("tokenizer", "end")
        folder.add_tokenizer("tokenizer_2", "zero")

    def _text_recipe(self) -> object:
        settings = self._settings
        second = (settings.second_text_heads, settings.second_text_activation)
        return ("sdxl", super()._text_recipe(), second)
