"""How captions are worded anew each time: the options."""

from __future__ import annotations

from dataclasses import dataclass

from lib_trainer.core.options import labelled, option


@dataclass(frozen=True)
class WordingOptions:
    """How captions are put together, besides their trigger and tags."""

    prefix: str = option("", "Text before every caption, behind the trigger; a space follows it.")
    suffix: str = option("", "Text behind every caption; a space precedes it.")
    wildcards: bool = option(
        False, "One of the words of {this|that} is taken each time; {{ and }} are brackets as they stand."
    )
    keep_separator: str = option(
        "",
        "A sign such as '|||': what stands before it stays in front, what stands behind a second one stays at the end; "
        "only the tags in between are shuffled or dropped, and 'keep_tags' counts only where there is no such sign.",
    )
    group_separator: str = option(
        "", "A sign such as ';;;': tags with it in between stay together, and get a comma in the end."
    )
    warmup: float = labelled(
        "Tag warm-up",
        option(0.0, "Epochs over which the tags shown grow from few to all; 0 shows all at once.", ge=0, unit="epochs"),
    )
    warmup_tags: int = option(1, "With a warm-up: tags shown in the beginning, besides kept ones.", ge=0, unit="tags")
    dropout_every: int = labelled(
        "Epochs without captions",
        option(0, "Every so many epochs all pictures are shown without captions; 0 never.", ge=0, unit="epochs"),
    )
