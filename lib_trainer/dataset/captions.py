"""The caption for one showing of a picture: trigger in front, tags shuffled or left out, or no caption at all."""

from __future__ import annotations

import re
from random import Random

from lib_trainer.dataset.options import DatasetOptions
from lib_trainer.dataset.wording_options import WordingOptions

WILDCARD = re.compile(r"\{\{|\}\}|\{([^{}]*)\}")


def vary_caption(caption: str, options: DatasetOptions, random: Random, epochs_done: float = 0.0) -> str:
    """The caption as it is shown this time; everything by chance is drawn from `random`.

    A dropped caption is empty, without the trigger too, so that the model keeps drawing without a prompt. The trigger
    is neither shuffled nor dropped and does not count among `keep_tags`; a caption that begins with it keeps it as it
    is. Tags are what commas separate; a caption is taken apart only if its tags are shuffled or dropped.

    Args:
        caption: as it was found, on one line or, where one of several is taken each time, on several.
        options: what is done to it.
        random: the generator of this showing.
        epochs_done: how much of the training is past.
    """
    if options.caption_dropout and random.random() < options.caption_dropout:
        return ""
    if options.wording.dropout_every and (int(epochs_done) + 1) % options.wording.dropout_every == 0:
        return ""
    lines = caption.strip().split("\n")
    caption = random.choice(lines) if len(lines) > 1 else lines[0]
    if options.wording.wildcards:
        caption = WILDCARD.sub(lambda found: _one_word(found, random), caption)
    trigger, text = _split_trigger(caption.strip(), options.trigger.strip())
    parts = _Parts.of(text, options)
    if _takes_tags_apart(options):
        parts.vary(options, random, epochs_done)
    return _put_together(trigger, parts.text, options.wording)


def steady_captions(captions: list[str], options: DatasetOptions) -> list[str] | None:
    """Every text that `vary_caption` can make of these captions, or None where chance leaves too many to list."""
    if _takes_tags_apart(options) or options.wording.wildcards:
        return None
    texts = []
    for line in (line for caption in captions for line in caption.strip().split("\n")):
        trigger, text = _split_trigger(line, options.trigger.strip())
        texts.append(_put_together(trigger, _Parts.of(text, options).text, options.wording))
    return list(dict.fromkeys(texts + [""] * (options.caption_dropout > 0 or options.wording.dropout_every > 0)))


def _takes_tags_apart(options: DatasetOptions) -> bool:
    return options.shuffle_tags or options.tag_dropout > 0 or options.wording.warmup > 0


def _one_word(found: re.Match[str], random: Random) -> str:
    words: str | None = found[1]
    return "{}"[found[0] == "}}"] if words is None else random.choice(words.split("|"))


def _split_trigger(caption: str, trigger: str) -> tuple[str, str]:
    """What stands in front of the caption, with its separator, and the caption without it."""
    if not trigger:
        return "", caption
    found = re.match(re.escape(trigger) + r"(?!\w)[\s,]*", caption)
    return (found[0], caption[found.end() :]) if found else (f"{trigger}, ", caption)


def _put_together(trigger: str, text: str, wording: WordingOptions) -> str:
    if wording.group_separator:
        text = re.sub(rf"\s*{re.escape(wording.group_separator)}\s*", ", ", text)
    text = " ".join(part for part in (wording.prefix.strip(), text, wording.suffix.strip()) if part)
    return trigger + text if text else trigger.rstrip(" ,")


class _Parts:
    """A caption's text: what stays in front, what may change, what stays behind; whole while nothing changes it."""

    def __init__(self, whole: str, parts: tuple[str, str, str]) -> None:
        self.text = whole
        self._parts = parts

    @classmethod
    def of(cls, text: str, options: DatasetOptions) -> _Parts:
        separator = options.wording.keep_separator.strip()
        if not separator or separator not in text:
            tags = _tags(text)
            kept = options.keep_tags
            return cls(text, (", ".join(tags[:kept]), ", ".join(tags[kept:]), ""))
        front, flexible, *behind = (", ".join(_tags(part)) for part in text.split(separator, 2))
        parts = (front, flexible, behind[0] if behind else "")
        return cls(", ".join(part for part in parts if part), parts)

    def vary(self, options: DatasetOptions, random: Random, epochs_done: float) -> None:
        """Shuffle and leave out tags that may change; of a warm-up, the first ones are shown first."""
        front, flexible, behind = (_tags(part) for part in self._parts)
        flexible = flexible[: _shown(len(flexible), options.wording, epochs_done)]
        if options.shuffle_tags:
            random.shuffle(flexible)
        flexible = [tag for tag in flexible if random.random() >= options.tag_dropout]
        self.text = ", ".join([*front, *flexible, *behind])


def _shown(tags: int, wording: WordingOptions, epochs_done: float) -> int:
    """How many tags a warm-up has reached, as kohya's scripts count them."""
    if epochs_done >= wording.warmup:
        return tags
    return max(0, int(epochs_done * (tags - wording.warmup_tags) // wording.warmup) + wording.warmup_tags)


def _tags(text: str) -> list[str]:
    return [tag.strip() for tag in text.split(",") if tag.strip()]
