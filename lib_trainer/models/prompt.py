"""What a model's text encoders make of prompts and captions, in each way of reading them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from lib_trainer.models.clip_tokens import LENGTH
from lib_trainer.models.mended_text import mended
from lib_trainer.models.model import Model
from lib_trainer.models.text_options import PLAIN, TextOptions
from lib_trainer.models.windows import EMPTY, Window, windows


@dataclass(frozen=True)
class PromptReader:
    """One model's text encoders with a way of reading; clip skip as the WebUI counts it."""

    model: Model
    clip_skip: int
    reading: TextOptions = PLAIN

    @property
    def fillers(self) -> list[str]:
        """The empty prompt where texts can have different lengths: short ones are filled up with its states."""
        return [""] if self.reading.reading == "webui" else []

    def recipe(self) -> list[object]:
        """All that a text's states depend on, besides the text."""
        length = self.model.tokenize([""]).shape[1]
        told = [asdict(self.reading)] if self.reading.reading != "plain" else []
        return [self.model.text_digest, self.clip_skip, length, str(self.model.dtype), *told]

    def each(self, prompts: Sequence[str]) -> list[Tensor]:
        """`encode_prompts` without gradients and in the encoders' own number format, on the CPU."""
        with torch.no_grad(), torch.autocast(self.model.device.type, enabled=False):
            return [text.cpu() for text in encode_prompts(self.model, prompts, self.clip_skip, self.reading)]

    def together(self, prompts: Sequence[str]) -> Tensor:
        """The same for prompts that are shown together, [n, length, width]."""
        with torch.no_grad(), torch.autocast(self.model.device.type, enabled=False):
            return self.encode(prompts).cpu()

    def encode(self, prompts: Sequence[str]) -> Tensor:
        """What `Model.predict` takes for prompts that are shown together, [n, length, width], with gradients.

        Short ones are filled up with empty windows, as the WebUI does.

        Raises:
            ModelError, ConfigError: as `encode_prompts`.
        """
        if self.reading.reading == "plain":
            return self.model.encode_text(self.model.tokenize(list(prompts)), self.clip_skip)
        read = _read(self.model, prompts, self.reading)
        most = max(len(one) for one in read)
        filled = [one + [EMPTY] * (most - len(one)) for one in read]
        return torch.stack(_encode(self.model, filled, self.clip_skip, self.reading))

    def stacked(self, texts: Sequence[Tensor]) -> Tensor:
        """Texts that `each` gave, those of the fillers last, as `together` gives them without the fillers."""
        if not self.fillers:
            return torch.stack(list(texts))
        *shown, empty = texts
        length = max(len(text) for text in shown)
        return torch.stack([_filled(text, empty, length) for text in shown])


def encode_prompts(model: Model, prompts: Sequence[str], clip_skip: int, reading: TextOptions = PLAIN) -> list[Tensor]:
    """What `Model.predict` takes, for each prompt [length, width]; how long it is depends on the prompt alone.

    'webui' gives 77 states for each window, 'kohya' one begin, 75 for each window, and one end. The pooled row of SDXL
    is the first window's, and no emphasis changes it: both programs have it so.

    Raises:
        ModelError: the text encoders can't skip so many layers.
        ConfigError: what stands for a number in a prompt's brackets is none.
    """
    if reading.reading == "plain":
        return list(model.encode_text(model.tokenize(list(prompts)), clip_skip))
    return _encode(model, _read(model, prompts, reading), clip_skip, reading)


def _read(model: Model, prompts: Sequence[str], reading: TextOptions) -> list[list[Window]]:
    return [windows(prompt, reading, lambda text: _words(model, text)) for prompt in prompts]


def _encode(model: Model, read: Sequence[list[Window]], clip_skip: int, reading: TextOptions) -> list[Tensor]:
    every = [each for one in read for each in one]
    rows = model.encode_text(model.framed([each.ids for each in every]), clip_skip)
    states, pooled = rows[:, :LENGTH], rows[:, LENGTH:]
    if reading.reading == "webui" and reading.emphasis in ("Original", "No norm"):
        states = _emphasised(states, every, model.text_widths, reading)
    join = _webui_states if reading.reading == "webui" else _kohya_states
    counts = [len(one) for one in read]
    apart = zip(torch.split(states, counts), torch.split(pooled, counts), strict=True)
    return [torch.cat([join(those), first[0]]) for those, first in apart]


def _words(model: Model, text: str) -> list[list[int]]:
    """A text's tokens, those together that no window's end may part."""
    ids, words = model.token_ids(mended(text)), list[list[int]]()
    place = 0
    while place < len(ids):
        many = model.extra_words.vectors_from(ids[place])
        words.append(ids[place : place + many])
        place += many
    return words


def _emphasised(states: Tensor, read: Sequence[Window], widths: Sequence[int], reading: TextOptions) -> Tensor:
    """States [n, 77, width] times their weights; each encoder's mean is then as before, unless it is 'No norm'.

    Formula: AUTOMATIC1111's `modules/sd_emphasis.py`. What has no emphasis stays as it is to the bit.
    """
    weighted = [number for number, each in enumerate(read) if any(weight != 1 for weight in each.weights)]
    if not weighted:
        return states
    weights = torch.tensor([read[number].padded_weights for number in weighted], device=states.device)[..., None]
    parts = []
    exact = torch.promote_types(states.dtype, torch.float32)
    for before in torch.split(states[weighted].to(exact), list(widths), dim=2):
        after = before * weights
        if reading.emphasis == "Original":
            after = after * (before.mean(dim=(1, 2), keepdim=True) / after.mean(dim=(1, 2), keepdim=True))
        parts.append(after)
    return states.index_copy(0, torch.tensor(weighted, device=states.device), torch.cat(parts, dim=2).to(states.dtype))


def _webui_states(states: Tensor) -> Tensor:
    """All states of all windows [windows, 77, width], one after the other."""
    return states.flatten(0, 1)


def _kohya_states(states: Tensor) -> Tensor:
    """The begin of the first window, the middles of all, and the end of the last."""
    return torch.cat([states[0, :1], states[:, 1:-1].flatten(0, 1), states[-1, -1:]])


def _filled(text: Tensor, empty: Tensor, length: int) -> Tensor:
    if len(text) == length:
        return text
    pooled = len(text) % LENGTH  # SDXL's row at the end
    middle = len(text) - pooled
    window = empty[:LENGTH]
    return torch.cat([text[:middle], *[window] * ((length - len(text)) // LENGTH), text[middle:]])
