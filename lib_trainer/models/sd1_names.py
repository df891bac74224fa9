"""What the modules of a Stable Diffusion 1 model are called in network files."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.models.sd1_keys import KeyMap
from lib_trainer.models.sd1_layout import UNET, Layout

WEBUI_LAYERS = 2
NETWORK_PREFIXES = {"unet": "lora_unet_", "text_encoder": "lora_te_text_model_"}


@dataclass(frozen=True)
class Sd1Names:
    """See the protocol `Model` for what each promises."""

    layout: Layout
    keys: KeyMap

    def network_name(self, part: str, module: str) -> str:
        """The name under which kohya's files, and so all programs, know a module of a part."""
        return NETWORK_PREFIXES[part] + module.replace(".", "_")

    def original_network_name(self, part: str, module: str) -> str:
        """The same with the module's name in the original layout; of the text encoder it is no other name."""
        original = self.keys.original(f"unet.{module}") if part == "unet" else None
        if original is None:
            return self.network_name(part, module)
        return NETWORK_PREFIXES[part] + original.removeprefix(UNET).replace(".", "_")

    @property
    def webui_knows_network_names(self) -> bool:
        """Whether A1111 finds the modules under `network_name`: its rules count two layers on each level."""
        return self.layout.unet.layers == WEBUI_LAYERS
