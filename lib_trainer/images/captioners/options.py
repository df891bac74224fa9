"""The options of the step `caption`: who says what, how it is put together, and what becomes of captions there are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Formatter
from typing import Literal

from lib_trainer.core.errors import ConfigError
from lib_trainer.core.options import choice, labelled, option, section
from lib_trainer.core.options import existing as existing_path
from lib_trainer.core.registry import did_you_mean
from lib_trainer.images.captioners import DESCRIBERS, TAGGERS
from lib_trainer.images.captioners.base import DescriberOptions, TaggerOptions
from lib_trainer.images.captioners.nothing import Nothing
from lib_trainer.images.captioners.tag_options import TagOptions

PLACEHOLDERS = ("trigger", "caption", "tags", "folder", "file")


@dataclass(frozen=True)
class WordingOptions:
    """How sentence and tags become one caption."""

    trigger: str = option("", "Words that every caption begins with, such as the name of your concept.")
    order: Literal["caption first", "tags first"] = option("caption first", "Which comes first, where there are both.")
    template: str = option(
        "",
        "The caption's form where that is not enough: any text with {trigger}, {caption}, {tags}, {folder} (the "
        "picture's folder) and {file} (its name) in it.",
    )

    def check(self) -> None:
        """Refuse a template that can't be filled.

        Raises:
            ConfigError: it names something else, or a bracket is missing.
        """
        try:
            names = [name for _, name, _, _ in Formatter().parse(self.template) if name is not None]
        except ValueError as error:
            raise ConfigError(f"'wording.template' is {self.template!r}; {error}. Close each bracket.") from error
        for name in names:
            if name not in PLACEHOLDERS:
                known = ", ".join(f"{{{each}}}" for each in PLACEHOLDERS)
                hint = did_you_mean(name, list(PLACEHOLDERS))
                raise ConfigError(f"'wording.template' has {{{name}}}; it may have {known}.{hint}")


@dataclass(frozen=True, kw_only=True)
class CaptioningOptions:
    """Write captions for a folder of pictures: a sentence, tags, or both."""

    folder: Path = existing_path(..., "Folder with your pictures; folders inside it are searched too.", group="first")
    describer: DescriberOptions = labelled(
        "Sentence", choice(DESCRIBERS, "none", "Who writes a sentence.", group="first")
    )
    tagger: TaggerOptions = labelled("Tags", choice(TAGGERS, "wd14", "Who writes tags.", group="first"))
    existing: Literal["skip", "overwrite", "append", "prepend"] = labelled(
        "Pictures that have a caption",
        option(
            "skip",
            "They are left alone, or their captions are replaced, or the new words are added behind or before the old "
            "ones, each once.",
            group="first",
        ),
    )
    only: tuple[str, ...] = option((), "Only these pictures, by their paths inside the folder; empty means all.")
    tags: TagOptions = section(TagOptions)
    wording: WordingOptions = section(WordingOptions)
    extension: Literal[".txt", ".caption"] = option(".txt", "Ending of new caption files.")
    dry_run: bool = option(False, "Nothing is written; the result shows what would be.")
    background: str = option("white", "Colour behind transparent pictures: a name or #rrggbb.")
    batch_size: int = option(8, "Pictures that a model sees at once; lower it if memory runs out.", ge=1, le=256)
    device: Literal["auto", "cpu", "cuda"] = option("auto", "'auto' takes the graphics card where there is one.")

    def check(self) -> None:
        """Refuse options that contradict each other.

        Raises:
            ConfigError: one of them can't be.
        """
        self.wording.check()
        self.tags.replacements()
        if isinstance(self.describer, Nothing) and isinstance(self.tagger, Nothing) and not self.wording.template:
            raise ConfigError("'describer' and 'tagger' are both 'none'; choose at least one of them, or a template.")
