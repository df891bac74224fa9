"""The trainer's LoRA in a prompt, `<lora:NAME:WEIGHT>`: found, put in the place of another, given another weight."""

from __future__ import annotations

import re

from lib_trainer.core.errors import ConfigError
from lib_trainer.ui.webui.trained import Trained, TrainedFile

PHRASE = re.compile(r"<lora:([^:<>]+)((?::[^<>]*)?)>")


def with_network(prompt: str, trained: Trained, file: TrainedFile | None, weight: float | None) -> str:
    """The prompt with this file in the place of the trainer's LoRA, or at its end; None takes the trainer's out.

    Of several it replaces the one of the same run. The weight stays that of the one replaced, unless one is given.
    """
    ours = [phrase for phrase in PHRASE.finditer(prompt) if trained.file_named(phrase[1]) is not None]
    if file is None:
        for phrase in reversed(ours):
            prompt = prompt[: phrase.start()].rstrip() + prompt[phrase.end() :]
        return prompt
    replaced = _replaced(ours, trained, file)
    strength = f":{weight:g}" if weight is not None else replaced[2] if replaced else ":1"
    named = f"<lora:{file.path.stem}{strength}>"
    if replaced is None:
        return f"{prompt} {named}"
    return prompt[: replaced.start()] + named + prompt[replaced.end() :]


def _replaced(ours: list[re.Match[str]], trained: Trained, file: TrainedFile) -> re.Match[str] | None:
    run = trained.run_of(file)
    of_run = [phrase for phrase in ours if run is not None and trained.file_named(phrase[1]) in run.files]
    return next(iter(of_run or (ours if len(ours) == 1 else [])), None)


def with_weight(prompt: str, trained: Trained, weight: float) -> str:
    """The prompt with another weight of the trainer's LoRAs.

    Raises:
        ConfigError: there is none in it.
    """
    if not any(trained.file_named(phrase[1]) for phrase in PHRASE.finditer(prompt)):
        raise ConfigError("[Trainer] LoRA weight: the prompt has no LoRA of the trainer; add one, or the axis Epoch.")

    def weighed(phrase: re.Match[str]) -> str:
        return f"<lora:{phrase[1]}:{weight:g}>" if trained.file_named(phrase[1]) else phrase[0]

    return PHRASE.sub(weighed, prompt)
