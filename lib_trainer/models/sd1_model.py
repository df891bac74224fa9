"""A loaded Stable Diffusion model: text encoder and U-Net in memory, the autoencoder when it is needed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from lib_trainer.core.errors import ModelError
from lib_trainer.models.clip_tokens import ClipTokens, Padding
from lib_trainer.models.diffusers_folder import DiffusersFolder, text_names
from lib_trainer.models.extra_words import ExtraWords
from lib_trainer.models.inpainting import all_anew
from lib_trainer.models.memory import return_freed_memory
from lib_trainer.models.model import Prediction
from lib_trainer.models.open_clip import SeenAsClip
from lib_trainer.models.original_tensors import OriginalTensors
from lib_trainer.models.outline import Names
from lib_trainer.models.schedule import scaled_linear
from lib_trainer.models.sd1_folder import open_folder
from lib_trainer.models.sd1_keys import KeyMap
from lib_trainer.models.sd1_layout import TOKENS, Layout, text_prefix
from lib_trainer.models.sd1_modules import build_text_encoder, build_unet, build_vae, check, fill, original_names
from lib_trainer.models.sd1_names import Sd1Names
from lib_trainer.models.sd1_settings import Settings
from lib_trainer.models.tensor_files import TensorFile, open_tensors
from lib_trainer.models.tensor_tables import PartTensors
from lib_trainer.models.webui_config import config_beside, needed_config


def open_source(path: Path) -> TensorFile:
    """A single file, or a diffusers folder seen as one in the original layout.

    Raises:
        ModelError: it can't be read.
    """
    return open_folder(path) if path.is_dir() else open_tensors(path)


class Sd1Model:
    """The family's model, and what the others have in common with it; see the protocol `Model` for what is promised.

    Another family tells here what differs: its text encoders, and what the U-Net is given.
    """

    family = "sd1"
    zero_text_if_empty = False
    no_clip_skip: str | None = None  # which layers the WebUI takes, where it does not heed clip skip
    token_padding: Padding = "end"

    def __init__(
        self, source: TensorFile, layout: Layout, settings: Settings, dtype: torch.dtype, device: torch.device
    ) -> None:
        for text in layout.texts:
            if text.tokens < TOKENS:
                raise ModelError(
                    f"{source.path} knows {text.tokens} tokens, CLIP's tokenizer has {TOKENS}; use another model."
                )
        self.path: Path = source.path
        self.prediction: Prediction = settings.prediction
        self.prediction_told = settings.prediction_told
        self.dtype, self.device = dtype, device
        # fp16 overflows in some autoencoders; bf16 has the range.
        self.vae_dtype = torch.bfloat16 if _has_fast_bf16(device) else torch.float32
        self.latent_channels = layout.unet.latent_channels
        self.is_inpainting = layout.unet.extra_channels > 0
        self.pixels_per_latent = 2 ** (len(layout.vae.channels) - 1)
        self.alphas_cumprod = scaled_linear(
            settings.first_beta, settings.last_beta, settings.timesteps, settings.zero_terminal_snr
        )
        self.text_widths = tuple(text.width for text in layout.texts)
        self._source, self._layout, self._settings = source, layout, settings
        self._keys = KeyMap(layout, self._text_names())
        self._names = self._network_names()
        self._tokens = ClipTokens(self.token_padding)
        self._vae: Any = None
        self._all_anew: dict[tuple[int, int], torch.Tensor] = {}
        self._config_beside = config_beside(source.path)
        # The parameters under the names they have before a trainable wraps modules; filled with the parts.
        self._parameters: dict[str, dict[str, torch.nn.Parameter]] = {}
        self._empty = {
            "unet": build_unet(layout.unet, settings),
            "text_encoder": self._build_text_encoder(),
        }
        for part, module in (*self._empty.items(), ("vae", build_vae(layout.vae))):
            check(module, part, source, self._keys)
        self.extra_words = ExtraWords(self._tokens, self._empty["text_encoder"])

    def _text_names(self) -> str | Mapping[str, str]:
        """The original names of the text encoders, as `KeyMap` takes them."""
        return text_prefix(self._source.shapes)

    def _network_names(self) -> Names:
        return Sd1Names(self._layout, self._keys)

    def _build_text_encoder(self) -> torch.nn.Module:
        """The text encoder, or all of them as one module, on the meta device."""
        return build_text_encoder(self._layout.text, self._settings)

    def _text_recipe(self) -> object:
        """What the text encoder's answer depends on besides its weights and the tokenizer."""
        return (self._settings.text_heads, self._settings.text_activation)

    @cached_property
    def parts(self) -> dict[str, torch.nn.Module]:
        """The trainable parts, read when they are first asked for: pictures can be encoded before, in less memory."""
        parts = {
            part: fill(module, part, self._source, self._keys, self.dtype, self.device)
            for part, module in self._empty.items()
        }
        self._parameters = {part: dict(module.named_parameters()) for part, module in parts.items()}
        return parts

    @cached_property
    def _unet(self) -> Any:
        return self.parts["unet"]

    @cached_property
    def _text_encoder(self) -> Any:
        return self.parts["text_encoder"]

    def tokenize(self, captions: list[str]) -> torch.Tensor:
        """Token ids [n, 77] on the CPU; what does not fit is cut."""
        return self._tokens.framed([self.token_ids(caption) for caption in captions])

    def token_ids(self, text: str) -> list[int]:
        """Ids of a text's tokens, without begin and end, uncut; those of extra words among them."""
        return self.extra_words.token_ids(text)

    def framed(self, ids: Sequence[Sequence[int]]) -> torch.Tensor:
        """Token ids [n, 77] of at most 75 tokens each, with begin, end, and the family's padding."""
        return self._tokens.framed(ids)

    def encode_text(self, ids: torch.Tensor, clip_skip: int) -> torch.Tensor:
        """Hidden states [n, 77, width] of the text encoder; clip_skip as the WebUI counts it, 1 = the last layer.

        Raises:
            ModelError: the text encoder has not so many layers.
        """
        self._check_clip_skip(clip_skip)
        layers = self._text_encoder.encoder.layers
        if not 1 <= clip_skip <= len(layers):
            raise ModelError(f"Clip skip {clip_skip} is impossible; {self.path} allows 1 to {len(layers)}.")
        states = self._text_encoder.embeddings(input_ids=ids.to(self.device))
        for layer in layers[: len(layers) + 1 - clip_skip]:
            states = layer(states, None, is_causal=True)
        return self._text_encoder.final_layer_norm(states)  # type: ignore[no-any-return]

    def _check_clip_skip(self, clip_skip: int) -> None:
        if self.no_clip_skip and clip_skip != 1:
            raise ModelError(
                f"Clip skip is {clip_skip}, but for {self.no_clip_skip}, whatever is set; "
                f"{self.path} needs clip skip 1."
            )

    def predict(
        self,
        noisy: torch.Tensor,
        timesteps: torch.Tensor,
        text: torch.Tensor,
        frames: torch.Tensor | None = None,
        around: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The U-Net's output for noisy latents at integer timesteps [n]; this family is not told of `frames`."""
        output = self._unet(self._given(noisy, around), timesteps, text.to(self.dtype), return_dict=False)
        return output[0]  # type: ignore[no-any-return]

    def _given(self, noisy: torch.Tensor, around: torch.Tensor | None) -> torch.Tensor:
        """All channels of the U-Net's input."""
        if not self.is_inpainting:
            return noisy.to(self.dtype)
        if around is None:
            height, width = noisy.shape[2:]
            around = self.all_anew(height, width).expand(len(noisy), -1, -1, -1)
        return torch.cat([noisy, around.to(noisy)], dim=1).to(self.dtype)

    def all_anew(self, height: int, width: int) -> torch.Tensor:
        """What an inpainting model is told where nothing of a picture is kept, [5, height, width]; kept by size."""
        if (height, width) not in self._all_anew:
            was_loaded = self._vae is not None
            self._all_anew[height, width] = all_anew(self, height, width)
            if not was_loaded:
                self.release_vae()
        return self._all_anew[height, width]

    def encode_pictures(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and standard deviation, fp32, of the latents of pictures [n, 3, h, w] in -1..1."""
        vae = self._loaded_vae()
        with torch.autocast(self.device.type, enabled=False):
            moments = vae.quant_conv(vae.encoder(pixels.to(self.device, self.vae_dtype))).float()
        mean, log_variance = moments.chunk(2, dim=1)
        # The bounds are those of the original's DiagonalGaussianDistribution.
        deviation = torch.exp(0.5 * log_variance.clamp(-30.0, 20.0))
        return mean * self._settings.latent_factor, deviation * self._settings.latent_factor

    def decode_latents(self, latents: torch.Tensor) -> torch.Tensor:
        """Pictures [n, 3, h, w], fp32, in about -1..1; loads the VAE if need be."""
        vae = self._loaded_vae()
        latents = (latents.float() / self._settings.latent_factor).to(self.device, self.vae_dtype)
        with torch.autocast(self.device.type, enabled=False):
            return vae.decode(latents, return_dict=False)[0].float()  # type: ignore[no-any-return]

    def release_vae(self) -> None:
        """Give the VAE's memory back; it is loaded again when it is needed."""
        self._vae = None
        return_freed_memory()

    def network_name(self, part: str, module: str) -> str:
        """The name under which kohya's files, and so all programs, know a module of a part."""
        return self._names.network_name(part, module)

    def original_network_name(self, part: str, module: str) -> str:
        """The same with the module's name in the original layout; of the text encoder it is no other name."""
        return self._names.original_network_name(part, module)

    @property
    def webui_knows_network_names(self) -> bool:
        """Whether A1111 finds the modules under `network_name`."""
        return self._names.webui_knows_network_names

    def in_parts(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Tensors of a checkpoint in the original layout by our names of the weights, as "unet.conv_in.weight"."""
        seen = self._source.seen(tensors) if isinstance(self._source, SeenAsClip) else tensors
        named = ((self._keys.ours(name), tensor) for name, tensor in seen.items())
        return {ours: tensor for ours, tensor in named if ours is not None}

    def original_tensors(self) -> OriginalTensors:
        """Every tensor under its name and in its shape in the original single-file layout; read lazily, one by one."""
        loaded = {
            self._keys.original(f"{part}.{name}") or "": parameter
            for part in self.parts
            for name, parameter in self._parameters[part].items()
        }
        if isinstance(self._source, SeenAsClip):
            return OriginalTensors(self._source.source, self._source.joined(loaded))
        return OriginalTensors(self._source, loaded)

    def webui_config(self) -> dict[str, Any] | None:
        """The source's own, or one made here if the model predicts the velocity, which the WebUI does not guess."""
        return needed_config(self._config_beside, self._layout, self._settings, self.prediction)

    def diffusers_folder(self) -> DiffusersFolder:
        """What a diffusers folder of the model holds; its tensors are read when they are asked for."""
        folder, vae = DiffusersFolder(), build_vae(self._layout.vae)
        stored = original_names(vae, "vae", self._keys)
        shapes = {name: tuple(tensor.shape) for name, tensor in vae.state_dict().items()}
        told = {"scaling_factor": self._settings.latent_factor}
        folder.add_model("unet", self._unet, self._part_tensors("unet"), {})
        folder.add_model("vae", vae, PartTensors(self._source, stored, shapes, {}), told)
        self._add_texts(folder, self._part_tensors("text_encoder"))
        folder.add_schedule(self._settings, self.prediction)
        folder.add_index(self.is_inpainting)
        return folder

    def _add_texts(self, folder: DiffusersFolder, tensors: PartTensors) -> None:
        """Add the text encoders, given by their tensors, and their tokenizers."""
        folder.add_text_encoder("text_encoder", self._text_encoder, tensors.renamed(text_names(tensors)))
        folder.add_tokenizer("tokenizer", self.token_padding)

    def _part_tensors(self, part: str) -> PartTensors:
        _ = self.parts  # read, if they are not yet
        loaded = self._parameters[part]
        stored = {name: self._keys.original(f"{part}.{name}") or "" for name in loaded}
        return PartTensors(self._source, stored, {name: tuple(one.shape) for name, one in loaded.items()}, loaded)

    @cached_property
    def vae_digest(self) -> str:
        """SHA-256 of the VAE as it is stored, and of the factor its latents are multiplied by."""
        names = original_names(build_vae(self._layout.vae), "vae", self._keys).values()
        return self._digest(names, self._settings.latent_factor).hexdigest()

    @cached_property
    def text_digest(self) -> str:
        """SHA-256 of the text encoder as it was loaded, and of the tokenizer."""
        names = original_names(self._empty["text_encoder"], "text_encoder", self._keys).values()
        digest = self._digest(names, self._text_recipe())
        self._tokens.digest_into(digest)
        return digest.hexdigest()

    def _digest(self, names: Iterable[str], settings: object) -> hashlib._Hash:
        digest = hashlib.sha256(repr(settings).encode())
        for name in sorted(names):
            digest.update(f"{name} {self._source.dtype(name)} {self._source.shapes[name]}".encode())
            digest.update(self._source.read(name).reshape(-1).view(torch.uint8).numpy().data)
        return digest

    def _loaded_vae(self) -> Any:
        if self._vae is None:
            vae = build_vae(self._layout.vae)
            self._vae = fill(vae, "vae", self._source, self._keys, self.vae_dtype, self.device)
        return self._vae


def _has_fast_bf16(device: torch.device) -> bool:
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
