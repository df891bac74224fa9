"""What the modules of an SDXL model are called in network files."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.models.sd1_keys import KeyMap
from lib_trainer.models.sd1_layout import UNET

TEXT_PREFIXES = {"first": "lora_te1_text_model_", "second": "lora_te2_text_model_"}


@dataclass(frozen=True)
class SdxlNames:
    """See the protocol `Model` for what each promises; the U-Net's are the original ones in any case."""

    keys: KeyMap

    def network_name(self, part: str, module: str) -> str:
        """The name under which kohya's files, and so all programs, know a module of a part."""
        if part == "unet":
            original = self.keys.original(f"unet.{module}") or module
            return "lora_unet_" + original.removeprefix(UNET).replace(".", "_")
        encoder, _, inside = module.partition(".")
        return TEXT_PREFIXES.get(encoder, "lora_te2_") + (inside or module).replace(".", "_")

    def original_network_name(self, part: str, module: str) -> str:
        """The same."""
        return self.network_name(part, module)

    @property
    def webui_knows_network_names(self) -> bool:
        """Whether A1111 finds the modules under `network_name`: it knows original names whatever the model's size."""
        return True
