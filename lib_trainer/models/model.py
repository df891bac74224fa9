"""What every family provides: the parts that can be trained, and the few operations that training and sampling need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    import torch

    from lib_trainer.models.diffusers_folder import DiffusersFolder
    from lib_trainer.models.extra_words import ExtraWords
    from lib_trainer.models.original_tensors import OriginalTensors
    from lib_trainer.models.outline import Outline

Prediction = Literal["epsilon", "v"]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Place:
    """Where a model lies: a file or a diffusers folder, and another VAE than its own, if one is wanted."""

    model: Path
    vae: Path | None = None


@dataclass(frozen=True)
class Labels:
    """What a family is called: `webui` beside networks, `base` and `architecture` in their headers, by prediction."""

    webui: str
    is_v2: bool
    base: Mapping[Prediction, str]
    architecture: Mapping[Prediction, str]


class Family(Protocol):
    """One line of the table of families."""

    name: str
    labels: Labels
    can_skip_text_layers: bool  # whether the WebUI heeds clip skip

    @staticmethod
    def recognises(shapes: Shapes) -> bool:
        """Whether a checkpoint with these tensor names and shapes (original layout) belongs to the family."""

    @staticmethod
    def outline(path: Path, shapes: Shapes) -> Outline:
        """What those shapes tell of the checkpoint at `path`.

        Raises:
            ModelError: a tensor that gives a size is missing, or the configuration beside the model can't be used.
        """

    @staticmethod
    def load(place: Place, dtype: torch.dtype, device: torch.device) -> Model:
        """Read a single file or a diffusers folder straight into `dtype`, offline, with no random initialisation.

        Raises:
            ModelError: the file can't be read or something is missing in it.
        """


class Model(Protocol):
    """A loaded model. Latents are [n, channels, height / 8, width / 8], already multiplied by the VAE's factor.

    What `encode_text` gives is for `predict`: [n, length, width], one row for each token's hidden state; SDXL has a
    last row more, which holds the pooled state.
    """

    family: str
    path: Path
    prediction: Prediction  # where nothing tells it, it may be known only when the parts are read
    prediction_told: bool  # whether the file or what lies beside it says what the model predicts
    alphas_cumprod: torch.Tensor  # [1000], fp32, on the CPU
    latent_channels: int
    is_inpainting: bool  # whether it is told of what is around the part that is drawn anew
    pixels_per_latent: int
    device: torch.device
    dtype: torch.dtype  # of the parts' weights
    vae_dtype: torch.dtype  # what the VAE computes in
    extra_words: ExtraWords  # words that it is taught besides its vocabulary
    text_widths: tuple[int, ...]  # of the text encoders, in the order in which their states stand side by side
    zero_text_if_empty: bool  # whether an empty negative prompt counts as no text at all, as the WebUI has it for SDXL

    @property
    def vae_digest(self) -> str:
        """Hex digest of the VAE's weights as they are stored."""

    @property
    def text_digest(self) -> str:
        """Hex digest of the text encoder's weights as they were loaded, and of the tokenizer."""

    @property
    def parts(self) -> dict[str, torch.nn.Module]:
        """What can be trained, "unet" and "text_encoder", frozen; read from the file when first asked for."""

    def tokenize(self, captions: list[str]) -> torch.Tensor:
        """Token ids [n, 77]; what does not fit is cut."""

    def token_ids(self, text: str) -> list[int]:
        """Ids of a text's tokens, without begin and end, uncut; rows of `extra_words` have ids of 49408 and more."""

    def framed(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """Token ids [n, 77] of at most 75 tokens each, with begin, end, and the family's padding."""

    def encode_text(self, ids: torch.Tensor, clip_skip: int) -> torch.Tensor:
        """What the text encoders make of captions; clip_skip as the WebUI counts it, 1 = the family's usual layer.

        Raises:
            ModelError: the text encoders can't skip so many layers.
        """

    def predict(
        self,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        text: torch.Tensor,
        frames: torch.Tensor | None = None,
        around: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The U-Net's output for noisy latents at integer timesteps [n].

        `around` [n, 5, height, width] is what an inpainting model is told: a mask, 1 where it draws anew, and the
        latents of the picture with that part grey. None stands for whole pictures drawn anew, as text to image does.

        `frames` [n, 6], px: each picture's height and width before it was scaled, top and left of the crop in the
        scaled picture, height and width of the crop. None stands for whole pictures of the latents' size.
        """

    def encode_pictures(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation of the latents of pictures [n, 3, h, w] in -1..1; loads the VAE if need be."""

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures [n, 3, h, w] in -1..1; loads the VAE if need be."""

    def all_anew(self, height: int, width: int) -> torch.Tensor:
        """What an inpainting model is told where nothing of a picture is kept, [5, height, width] in latents."""

    def release_vae(self) -> None:
        """Give the VAE's memory back; it is loaded again when it is needed."""

    def network_name(self, part: str, module: str) -> str:
        """The name under which the WebUI knows a module of a part, such as `lora_unet_mid_block_..._to_q`."""

    def original_network_name(self, part: str, module: str) -> str:
        """The same with the module's name in the original layout, as `lora_unet_middle_block_..._to_q`."""

    @property
    def webui_knows_network_names(self) -> bool:
        """Whether A1111 finds the model's modules under `network_name`; else it does under `original_network_name`."""

    def in_parts(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Tensors of a checkpoint in the original layout by our names of the weights, as "unet.conv_in.weight"."""

    def original_tensors(self) -> OriginalTensors:
        """Every tensor under its name and in its shape in the original single-file layout; read lazily, one by one."""

    def diffusers_folder(self) -> DiffusersFolder:
        """What a diffusers folder of the model holds; its tensors are read when they are asked for."""

    def webui_config(self) -> dict[str, Any] | None:
        """What must lie as a `.yaml` beside a file of the model for the WebUI to read it rightly; None if nothing."""
