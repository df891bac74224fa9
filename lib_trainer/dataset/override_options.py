"""The options of overrides: what single folders and pictures have otherwise than the rest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lib_trainer.core.options import existing, labelled, option


@dataclass(frozen=True)
class OverrideOptions:
    """Some folders or pictures come more often, are mirrored, lose their captions, or count more than others."""

    read: bool = labelled(
        "Read side files",
        option(
            False,
            "Heed overrides.json in the folders, and EveryDream's multiply.txt, flip_p.txt, cond_dropout.txt, "
            "loss_scale.txt, global.yaml, local.yaml and NAME.yaml.",
        ),
    )
    kohya_file: Path | None = labelled(
        "kohya's dataset file",
        existing(None, "A .toml of kohya's scripts: num_repeats, flip_aug and caption_dropout_rate of its subsets."),
    )

    @property
    def wanted(self) -> bool:
        """Whether there can be any."""
        return self.read or self.kohya_file is not None
