"""The caption for one showing of a picture: trigger in front, tags shuffled or left out, or no caption at all."""

from __future__ import annotations

import re
from random import Random

from lib_trainer.dataset.options import DatasetOptions


def vary_caption(caption: str, options: DatasetOptions, random: Random) -> str:
    """The caption as it is shown this time; everything by chance is drawn from `random`.

    A dropped caption is empty, without the trigger too, so that the model keeps drawing without a prompt. The trigger
    is neither shuffled nor dropped and does not count among `keep_tags`; a caption that begins with it keeps it as it
    is. Tags are what commas separate; a caption is taken apart only if its tags are shuffled or dropped.
    """
    if options.caption_dropout and random.random() < options.caption_dropout:
        return ""
    trigger, text = _split_trigger(caption.strip(), options.trigger.strip())
    if options.shuffle_tags or options.tag_dropout:
        text = ", ".join(_vary_tags(text, options, random))
    return trigger + text if text else trigger.rstrip(" ,")


def steady_captions(captions: list[str], options: DatasetOptions) -> list[str] | None:
    """Every text that `vary_caption` can make of these captions, or None where shuffling leaves too many to list."""
    if options.shuffle_tags or options.tag_dropout:
        return None
    texts = ["".join(_split_trigger(caption.strip(), options.trigger.strip())).rstrip(" ,") for caption in captions]
    return list(dict.fromkeys(texts + [""] * (options.caption_dropout > 0)))


def _split_trigger(caption: str, trigger: str) -> tuple[str, str]:
    """What stands in front of the caption, with its separator, and the caption without it."""
    if not trigger:
        return "", caption
    found = re.match(re.escape(trigger) + r"(?!\w)[\s,]*", caption)
    return (found[0], caption[found.end() :]) if found else (f"{trigger}, ", caption)


def _vary_tags(text: str, options: DatasetOptions, random: Random) -> list[str]:
    tags = [tag.strip() for tag in text.split(",") if tag.strip()]
    kept, flexible = tags[: options.keep_tags], tags[options.keep_tags :]
    if options.shuffle_tags:
        random.shuffle(flexible)
    return kept + [tag for tag in flexible if random.random() >= options.tag_dropout]
