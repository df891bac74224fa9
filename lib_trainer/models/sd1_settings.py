"""What shapes don't tell of a Stable Diffusion 1 model: by the family's rule, or from the `.yaml` beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ModelError
from lib_trainer.models.model import Prediction
from lib_trainer.models.sd1_layout import Layout

UNET_HEADS = 8
TEXT_HEAD_WIDTH = 64
STANDARD_TEXT_ENCODER = "openai/clip-vit-large-patch14"


@dataclass(frozen=True)
class Settings:
    """Head counts (the U-Net's by level), the noise schedule (scaled linear), the prediction and the VAE's factor."""

    unet_heads: tuple[int, ...]
    text_heads: int
    text_activation: str = "quick_gelu"
    prediction: Prediction = "epsilon"
    first_beta: float = 0.00085
    last_beta: float = 0.012
    timesteps: int = 1000
    latent_factor: float = 0.18215


def read_settings(path: Path, layout: Layout) -> Settings:
    """The settings of a single-file checkpoint.

    Raises:
        ModelError: the `.yaml` beside it can't be used, or there is none and the sizes don't fit the family's rule.
    """
    config = path.with_suffix(".yaml")
    if config.is_file():
        return _from_yaml(config, layout)
    return checked(path, layout, _by_rule(path, layout))


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
    for part, width, heads in [*widths, ("text encoder", layout.text.width, settings.text_heads)]:
        if heads < 1 or width % heads:
            raise ModelError(
                f"{path} gives the {part} {heads} attention heads for {width} channels, which don't divide; "
                "correct the head count in the configuration beside the model."
            )
    return settings


def _by_rule(path: Path, layout: Layout) -> Settings:
    if layout.text.width % TEXT_HEAD_WIDTH:
        raise ModelError(
            f"{path}: the number of attention heads of its text encoder ({layout.text.width} wide) can't be told, as "
            f"{TEXT_HEAD_WIDTH} does not divide it. Put the model's configuration beside it as {path.stem}.yaml."
        )
    return Settings((UNET_HEADS,) * len(layout.unet.channels), layout.text.width // TEXT_HEAD_WIDTH)


def _from_yaml(config: Path, layout: Layout) -> Settings:
    data = _load_yaml(config)
    try:
        settings, version = _from_params(_table(data, "model", "params"), layout)
    except (AttributeError, TypeError, ValueError) as error:
        raise ModelError(
            f"The model's configuration {config} is not laid out as the WebUI's are ({error}). Mend or remove it."
        ) from error
    if version == STANDARD_TEXT_ENCODER:
        return checked(config, layout, replace(settings, text_heads=_by_rule(config, layout).text_heads))
    heads, activation = _text_encoder(config, version)
    return checked(config, layout, replace(settings, text_heads=heads, text_activation=activation))


def _from_params(params: dict[str, Any], layout: Layout) -> tuple[Settings, str]:
    """The settings but for the text encoder's, and that encoder's name."""
    settings = Settings(
        unet_heads=_unet_heads(_table(params, "unet_config", "params"), layout),
        text_heads=0,
        prediction="v" if params.get("parameterization", "eps") == "v" else "epsilon",
        first_beta=float(params.get("linear_start", Settings.first_beta)),
        last_beta=float(params.get("linear_end", Settings.last_beta)),
        timesteps=int(params.get("timesteps", Settings.timesteps)),
        latent_factor=float(params.get("scale_factor", Settings.latent_factor)),
    )
    return settings, str(_table(params, "cond_stage_config", "params").get("version", STANDARD_TEXT_ENCODER))


def _load_yaml(config: Path) -> dict[str, Any]:
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


def _unet_heads(unet: dict[str, Any], layout: Layout) -> tuple[int, ...]:
    """`num_heads` for every level, or as many of `num_head_channels` as a level's width holds."""
    width = int(unet.get("num_head_channels", -1))
    if width > 0:
        return tuple(channels // width for channels in layout.unet.channels)
    return (int(unet.get("num_heads", UNET_HEADS)),) * len(layout.unet.channels)


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
