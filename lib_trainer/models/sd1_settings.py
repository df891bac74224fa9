"""What shapes don't tell of a Stable Diffusion model: by the family's rule, or from the `.yaml` beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ModelError
from lib_trainer.models.model import Prediction, Shapes
from lib_trainer.models.sd1_layout import Layout
from lib_trainer.models.tensor_headers import metadata_of

UNET_HEADS = 8
TEXT_HEAD_WIDTH = 64
STANDARD_TEXT_ENCODER = "openai/clip-vit-large-patch14"
V_WORDS, EPSILON_WORDS = ("v", "v_prediction"), ("epsilon", "eps")


@dataclass(frozen=True)
class Settings:
    """Head counts (the U-Net's by level), the noise schedule (scaled linear), the prediction and the VAE's factor.

    With a zero terminal signal-to-noise ratio the schedule is rescaled until its last timestep is noise alone.
    `prediction_told` is whether the family, the file or what lies beside it says what it predicts.
    """

    unet_heads: tuple[int, ...]
    text_heads: int
    text_activation: str = "quick_gelu"
    prediction: Prediction = "epsilon"
    first_beta: float = 0.00085
    last_beta: float = 0.012
    timesteps: int = 1000
    latent_factor: float = 0.18215
    second_text_heads: int = 0
    second_text_activation: str = "gelu"
    zero_terminal_snr: bool = False
    prediction_told: bool = True


@dataclass(frozen=True)
class Rule:
    """What a family's models have in common where no shape tells it; heads of one width, or as many on each level.

    With `tells_prediction` those that say nothing predict the noise.
    """

    unet_head_width: int | None = None
    text_activation: str = "quick_gelu"
    latent_factor: float = 0.18215
    tells_prediction: bool = True

    def unet_heads(self, layout: Layout) -> tuple[int, ...]:
        """Heads of each level."""
        channels = layout.unet.channels
        return heads_of_width(self.unet_head_width, channels) if self.unet_head_width else (UNET_HEADS,) * len(channels)


SD1_RULE = Rule()


def heads_of_width(width: int, channels: tuple[int, ...]) -> tuple[int, ...]:
    """As many heads as a level's channels hold, but one at least: a level without attention may be narrower."""
    return tuple(max(1, level // width) for level in channels)


def settings_of(path: Path, layout: Layout, shapes: Shapes, rule: Rule = SD1_RULE) -> Settings:
    """The settings of a single-file checkpoint or a diffusers folder with these shapes.

    Raises:
        ModelError: as `read_settings`, or as `read_folder_settings`.
    """
    if path.is_dir():
        from lib_trainer.models.sd1_folder import read_folder_settings

        return read_folder_settings(path, layout)
    return _marked(read_settings(path, layout, rule), path, shapes)


def _marked(settings: Settings, path: Path, shapes: Shapes) -> Settings:
    """The same with what the file itself says: by its metadata, or by the empty tensors that Forge looks for."""
    told = metadata_of(path)
    word = told.get("modelspec.prediction_type", "")
    says_v = word in V_WORDS or told.get("modelspec.architecture", "").endswith("-v") or "v_pred" in shapes
    return replace(
        settings,
        prediction="v" if says_v else settings.prediction,
        prediction_told=settings.prediction_told or says_v or word in EPSILON_WORDS,
        zero_terminal_snr=settings.zero_terminal_snr or "ztsnr" in shapes,
    )


def read_settings(path: Path, layout: Layout, rule: Rule = SD1_RULE) -> Settings:
    """The settings of a single-file checkpoint.

    Raises:
        ModelError: the `.yaml` beside it can't be used, or there is none and the sizes don't fit the family's rule.
    """
    config = path.with_suffix(".yaml")
    if config.is_file():
        return _from_yaml(config, layout, rule)
    return checked(path, layout, _by_rule(path, layout, rule))


def checked(path: Path, layout: Layout, settings: Settings) -> Settings:
    """The same settings.

    Raises:
        ModelError: a head count does not divide its width, or is no positive number.
    """
    if len(settings.unet_heads) != len(layout.unet.channels):
        raise ModelError(
            f"{path} gives head counts for {len(settings.unet_heads)} levels of the U-Net, which has "
            f"{len(layout.unet.channels)}; correct the configuration beside the model."
        )
    widths = [("U-Net", width, heads) for width, heads in zip(layout.unet.channels, settings.unet_heads, strict=True)]
    text_heads = (settings.text_heads, settings.second_text_heads)
    texts = [("text encoder", text.width, heads) for text, heads in zip(layout.texts, text_heads, strict=False)]
    for part, width, heads in [*widths, *texts]:
        if heads < 1 or width % heads:
            raise ModelError(
                f"{path} gives the {part} {heads} attention heads for {width} channels, which don't divide; "
                "correct the head count in the configuration beside the model."
            )
    return settings


def _by_rule(path: Path, layout: Layout, rule: Rule) -> Settings:
    for text in layout.texts:
        if text.width % TEXT_HEAD_WIDTH:
            raise ModelError(
                f"{path}: the number of attention heads of its text encoder ({text.width} wide) can't be told, as "
                f"{TEXT_HEAD_WIDTH} does not divide it. Put the model's configuration beside it as {path.stem}.yaml."
            )
    return replace(_without_text(layout, rule), text_heads=layout.text.width // TEXT_HEAD_WIDTH)


def _without_text(layout: Layout, rule: Rule) -> Settings:
    """The rule's settings but for the first text encoder's heads."""
    return Settings(
        unet_heads=rule.unet_heads(layout),
        text_heads=0,
        text_activation=rule.text_activation,
        latent_factor=rule.latent_factor,
        prediction_told=rule.tells_prediction,
        second_text_heads=layout.second_text.width // TEXT_HEAD_WIDTH if layout.second_text else 0,
    )


def _from_yaml(config: Path, layout: Layout, rule: Rule) -> Settings:
    data = load_yaml(config)
    try:
        params = _table(data, "model", "params")
        settings = _from_params(params, layout, _without_text(layout, rule))
        version = str(_table(params, "cond_stage_config", "params").get("version", STANDARD_TEXT_ENCODER))
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"The model's configuration {config} is not laid out as the WebUI's are ({error}). Mend or remove it."
        ) from error
    if version == STANDARD_TEXT_ENCODER:
        return checked(config, layout, replace(settings, text_heads=_by_rule(config, layout, rule).text_heads))
    heads, activation = _text_encoder(config, version)
    return checked(config, layout, replace(settings, text_heads=heads, text_activation=activation))


def _from_params(params: dict[str, Any], layout: Layout, usual: Settings) -> Settings:
    """The settings but for the text encoder's."""
    scaling = _table(params, "denoiser_config", "params", "scaling_config").get("target", "")  # SDXL's way to say it
    says_v = params.get("parameterization", "eps") == "v" or str(scaling).endswith("VScaling")
    return replace(
        usual,
        unet_heads=_unet_heads(_table(params, "unet_config", "params"), layout, usual),
        prediction="v" if says_v else "epsilon",
        prediction_told=True,
        first_beta=float(params.get("linear_start", usual.first_beta)),
        last_beta=float(params.get("linear_end", usual.last_beta)),
        timesteps=int(params.get("timesteps", usual.timesteps)),
        latent_factor=float(params.get("scale_factor", usual.latent_factor)),
    )


def load_yaml(config: Path) -> dict[str, Any]:
    """A model's configuration as a table with a table `model` in it.

    Raises:
        ModelError: it can't be read, or has no such table.
    """
    import yaml  # type: ignore[import-untyped]

    try:
        data = yaml.safe_load(config.read_text(encoding="utf-8-sig"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"The model's configuration {config} can't be read: {error}. Mend or remove it.") from error
    if not isinstance(data, dict) or not isinstance(data.get("model"), dict):
        raise ModelError(f"The model's configuration {config} has no 'model' table. Mend or remove it.")
    return data


def _table(data: dict[str, Any], *names: str) -> dict[str, Any]:
    """The table at the end of a path of names; an absent one counts as empty."""
    for name in names:
        data = data.get(name) or {}
    return data


def _unet_heads(unet: dict[str, Any], layout: Layout, usual: Settings) -> tuple[int, ...]:
    """`num_heads` for every level, or as many of `num_head_channels` as a level's width holds."""
    width = int(unet.get("num_head_channels", -1))
    if width > 0:
        return heads_of_width(width, layout.unet.channels)
    return (int(unet["num_heads"]),) * len(layout.unet.channels) if "num_heads" in unet else usual.unet_heads


def _text_encoder(config: Path, version: str) -> tuple[int, str]:
    """Heads and activation from the `config.json` in the folder that the configuration names."""
    file = config.parent / version / "config.json"
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        return int(data["num_attention_heads"]), str(data.get("hidden_act", Settings.text_activation))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{config} names the text encoder '{version}', but {file} can't be used ({error!r}). "
            f"Put the encoder's config.json there, or correct 'version' ('{STANDARD_TEXT_ENCODER}' is the usual one)."
        ) from error
