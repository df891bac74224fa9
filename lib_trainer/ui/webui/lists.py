"""The WebUI's list of LoRAs: whether a file stands in it, under which name, and if not, why."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from lib_trainer.core.errors import ModelError
from lib_trainer.ui.host import Visibility
from lib_trainer.ui.webui.loaded_model import Version, is_forge, loaded_model, version_of

NOT_IN_PROMPTS = re.compile(r"[<>:]")  # they end a name in <lora:NAME:1>
PRESETS = {"sd": ("SD1", "SD2"), "xl": ("SDXL",), "flux": ("Flux",)}  # Forge shows a card by the preset on top
REFRESH = "Press the refresh button of its Lora tab to see the card."
SWITCHED_OFF = "The WebUI's own extension Lora is switched off, so it knows no LoRA; switch it on under Extensions."


def visibility(network: Path, version_before: Version) -> Visibility:
    """Let the WebUI list a file that was just written, and say whether its card is shown, and if not, why.

    `version_before` is that of the model that the WebUI had before it was dropped for a run.
    """
    try:
        name = prompt_name(network)
    except ModelError as error:
        return Visibility(False, str(error))
    hidden = _why_hidden(_networks().available_networks[name], version_before)
    if hidden:
        return Visibility(False, f"The WebUI knows <lora:{name}:1>, but hides its card: {hidden}")
    return Visibility(True, f"The WebUI knows it as <lora:{name}:1>. {REFRESH}")


def prompt_name(network: Path) -> str:
    """The name by which a prompt finds this file; the WebUI looks for new files if it does not know it.

    Raises:
        ModelError: no name finds it; the message says why.
    """
    name = network.stem
    if NOT_IN_PROMPTS.search(name):
        raise ModelError(f"A prompt can't name {network.name}: rename it without any of < > : in it.")
    networks = _networks()
    if not _is_file(_found(networks, name), network):
        networks.list_available_networks()
    found = _found(networks, name)
    if _is_file(found, network):
        return name
    raise ModelError(_why_not_found(network, found))


def forget_files() -> None:
    """Let the WebUI read LoRAs anew: Forge keeps what it once read of a path, whatever is written there since."""
    networks = _networks()
    if is_forge():
        networks.load_lora_state_dict.cache_clear()


def changes_nothing(network: Path, name: str) -> bool:
    """Whether nothing of the file fitted the model when the last picture was drawn; both WebUIs keep that to the log.

    `name` is the one that its prompt had.
    """
    if not is_forge():
        used = [each for each in _networks().loaded_networks if each.name == name]
        return not any(each.modules or each.bundle_embeddings for each in used)
    drawn = loaded_model().forge_objects_after_applying_lora
    patched = [*drawn.unet.lora_patches.items(), *drawn.clip.patcher.lora_patches.items()]
    return not any(patches for (filename, *_), patches in patched if _same(filename, network))


def _networks() -> Any:
    try:
        import networks
    except ImportError as error:
        raise ModelError(SWITCHED_OFF) from error
    return networks


def _found(networks: Any, name: str) -> Any:
    """What `<lora:NAME:1>` finds; a forbidden alias is one that several files have."""
    if name.lower() in networks.forbidden_network_aliases:
        return networks.available_networks.get(name)
    return networks.available_network_aliases.get(name)


def _is_file(entry: Any, network: Path) -> bool:
    return entry is not None and _same(entry.filename, network)


def _same(one: str | Path, other: str | Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _why_not_found(network: Path, found: Any) -> str:
    from modules import shared

    folder = Path(os.path.abspath(shared.cmd_opts.lora_dir))  # noqa: PTH100 - links are kept
    if not network.is_file():
        return f"{network} is not there (any more)."
    if found is not None:
        return f"The WebUI finds {found.filename} under the name {network.stem}, not {network}; rename one of them."
    older = getattr(shared.cmd_opts, "lyco_dir_backcompat", None)
    folders = [folder] if is_forge() or not older else [folder, Path(os.path.abspath(older))]  # noqa: PTH100
    if not any(network.resolve().is_relative_to(each.resolve()) for each in folders):
        return f"{network} lies outside the WebUI's folder of LoRAs, {folder}; copy it there to use it."
    if "/." in network.parent.as_posix() and not shared.opts.list_hidden_files:
        return f"{network} lies in a hidden folder, which the WebUI's settings skip; move it to another."
    return f"The WebUI does not list {network}; it takes .safetensors, .pt and .ckpt files that it can read."


def _why_hidden(entry: Any, version_before: Version) -> str:
    """Why there is no card, or an empty text."""
    from modules import shared

    version = _version_of_card(entry)
    if is_forge():
        preset = getattr(shared.opts, "forge_preset", "all")
        if version in PRESETS.get(preset, (version,)) or version == "Unknown" or _forge_shows_all(shared.opts):
            return ""
        return f"it is for {version}, and the UI preset on top of the page is '{preset}'."
    model = version_of(loaded_model()) or version_before
    if shared.opts.lora_show_all or not model:
        return ""
    if version == "Unknown":
        if model not in shared.opts.lora_hide_unknown_for_versions:
            return ""
        return f"nothing in it says which model it is for, and the WebUI's settings hide such files for {model}."
    return "" if version == model else f"it is for {version}, and the loaded model is {model}. Load one of that kind."


def _forge_shows_all(opts: Any) -> bool:
    return bool(getattr(opts, "lora_filter_disabled", False))


def _version_of_card(entry: Any) -> str:
    """As the card's own notes say, else as the file does."""
    from modules import extra_networks

    told = extra_networks.get_user_metadata(entry.filename).get("sd version")
    return str(told) if told in type(entry.sd_version).__members__ else str(entry.sd_version.name)
