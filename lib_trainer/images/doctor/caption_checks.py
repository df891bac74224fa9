"""What is wrong with the captions: missing, empty, too long, all alike, or with tags that nearly all of them have."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from lib_trainer.images.captions import CAPTION_SUFFIXES, NO_CAPTION
from lib_trainer.images.doctor.case import Case
from lib_trainer.images.doctor.findings import Finding, Fix, Level, pictures_have
from lib_trainer.images.pictures import Picture
from lib_trainer.images.wording.clip_pieces import MOST_TOKENS

COMMON = 0.5  # share of the pictures
FEWEST_CAPTIONS = 4  # of fewer, half is no rule
FEWEST_TAGS = 1.5  # commas per caption, on average, from which captions are lists of tags and not sentences
MOST_NAMED = 12
WORD = re.compile(r"[^\W\d_]{3,}(?:['-][^\W\d_]+)*")
# English words that tell nothing of a picture.
LITTLE_WORDS = frozenset(
    (
        *("the", "and", "with", "for", "from", "that", "this", "there", "its", "his", "her", "their", "has", "have"),
        *("are", "was", "were", "being", "into", "onto", "over", "under", "near", "some", "one", "two", "photo"),
        *("picture", "image", "which", "while", "who"),
    )
)
LINK = re.compile(r"https?://|www\.|<@|<https?", re.IGNORECASE)


def missing(case: Case) -> Iterator[Finding]:
    """Pictures without a caption, and those whose caption file is empty."""
    without = [picture for picture in case.pictures if picture.caption_source == NO_CAPTION]
    empty = [picture for picture in without if _has_empty_file(picture)]
    rest = [picture for picture in without if picture not in empty]
    called = f"only the trigger word '{case.options.trigger}' calls it" if case.options.trigger else "nothing calls it"
    if empty:
        are = f"{pictures_have(len(empty))} an empty caption file"
        said = f"{are}, which counts as no caption: {called} in a prompt."
        yield Finding("empty caption", "warning", "Empty captions", said, _names(case, empty), _to_captions())
    if rest:
        said = f"{pictures_have(len(rest))} no caption: {called} in a prompt."
        level: Level = "info" if case.options.trigger else "warning"
        yield Finding("no caption", level, "Missing captions", said, _names(case, rest), _to_captions())


def too_long(case: Case) -> Iterator[Finding]:
    """Captions of which the model reads only the beginning."""
    told = {}
    for picture in case.pictures:
        count = max((case.count_tokens(line) for line in picture.caption.split("\n")), default=0)
        if count > MOST_TOKENS:
            told[case.name(picture.path)] = f"{count} tokens"
    if told:
        said = (
            f"{pictures_have(len(told))} a caption of more than {MOST_TOKENS} tokens; training reads only the first "
            f"{MOST_TOKENS}, unless it reads captions as the WebUI reads prompts."
        )
        fix = Fix("option", "Read long captions as the WebUI does", "train", {"text": {"reading": "webui"}})
        yield Finding("long caption", "warning", "Long captions", said, list(told), fix, told)


def all_alike(case: Case) -> Iterator[Finding]:
    """One caption for all pictures, from their own files."""
    own = [picture for picture in case.pictures if picture.caption_source in (*CAPTION_SUFFIXES, "metadata.jsonl")]
    if len(own) >= FEWEST_CAPTIONS and len({picture.caption for picture in own}) == 1:
        said = (
            f"All {len(own)} captions are the same, '{_short(own[0].caption)}': whatever the pictures have in common "
            "is learned with it, the background too. Say in each what is not to be learned."
        )
        yield Finding("same caption", "info", "One caption for all", said, _names(case, own), _to_captions())


def common_tags(case: Case) -> Iterator[Finding]:
    """Tags or words in over half of a concept's captions: they are learned together with the concept."""
    for name, group in case.groups.items():
        captions = [picture for picture in group if picture.caption]
        if len(captions) < FEWEST_CAPTIONS or len({picture.caption for picture in captions}) == 1:
            continue
        bearing: dict[str, list[Picture]] = defaultdict(list)
        tagged = sum(picture.caption.count(",") for picture in captions) >= FEWEST_TAGS * len(captions)
        for picture in captions:
            for part in _tags(picture.caption) if tagged else _words(picture.caption):
                bearing[part].append(picture)
        common = {part: those for part, those in bearing.items() if len(those) > COMMON * len(captions)}
        common.pop(case.options.trigger.strip().casefold(), None)
        if common:
            yield _common(case, name, common, len(captions), "tags" if tagged else "words")


def junk(case: Case) -> Iterator[Finding]:
    """Captions with links or mentions, as chat exports have them."""
    those = [picture for picture in case.pictures if LINK.search(picture.caption)]
    if those:
        said = f"{pictures_have(len(those))} a link or a mention in the caption, which tells the model nothing."
        yield Finding("link in caption", "warning", "Links in captions", said, _names(case, those), _to_captions())


def _common(case: Case, name: str, common: dict[str, list[Picture]], captions: int, kind: str) -> Finding:
    order = sorted(common, key=lambda part: (-len(common[part]), part))
    shown = ", ".join(f"'{part}' ({len(common[part])})" for part in order[:MOST_NAMED])
    more = f" and {len(order) - MOST_NAMED} more" if len(order) > MOST_NAMED else ""
    where = f" in '{name}'" if name else ""
    said = (
        f"More than half of the {captions} captions{where} have the same {kind}: {shown}{more}. What nearly all "
        "captions say is learned as one with the concept. Take out what belongs to it, keep what shall change."
    )
    counts = Counter(case.name(picture.path) for those in common.values() for picture in those)
    told = {file: f"{count} of them" for file, count in counts.items()}
    fix = Fix("list", "Edit the captions", config={"section": "captions", "tags": order})
    return Finding("common tags", "info", f"Common {kind}", said, list(told), fix, told)


def _to_captions() -> Fix:
    return Fix("list", "Write captions", config={"section": "captions"})


def _names(case: Case, those: list[Picture]) -> list[str]:
    return [case.name(picture.path) for picture in those]


def _has_empty_file(picture: Picture) -> bool:
    return any(picture.path.with_suffix(suffix).is_file() for suffix in CAPTION_SUFFIXES)


def _tags(caption: str) -> set[str]:
    return {tag for tag in (part.strip().casefold() for part in caption.replace("\n", ",").split(",")) if tag}


def _words(caption: str) -> set[str]:
    return {word.casefold() for word in WORD.findall(caption)} - LITTLE_WORDS


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
