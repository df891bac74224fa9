"""One message of a prompt log: the prompt in it, its parameters, and whether it shows a picture that somebody chose."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lib_trainer.images.promptlog.options import LogCaptions

STARS = "**"
# What Midjourney writes behind the prompt of a single picture: "Upscaled by <@1>", "Upscaled (2x) by", "Image #3 <@1>".
CHOSEN = re.compile(r"\s*-\s*(?:upscaled\b|image\s*#\s*\d)", re.IGNORECASE)
LINK_FIRST = re.compile(r"\s*<?https?://", re.IGNORECASE)
LINK = re.compile(r"<?https?://[^\s<>]+>?", re.IGNORECASE)
# Users, roles, channels, emojis, times and commands as Discord stores them; the last is a user as exporters write it.
MENTION = re.compile(r"<(?:@[!&]?\d+|#\d+|a?:\w+:\d+|t:-?\d+(?::\w)?|/[^<>]{1,100}:\d+)>|(?<!\S)@\S{1,40}#\d{4}\b")
WEIGHT = re.compile(r"::\s*-?(?:\d+\.?\d*|\.\d+)?(?!\w)|::")
MARKERS = re.compile(r"\*\*|\|\||`")
SPACED_SIGN = re.compile(r" +([,.;:!?](?:\s|$))")
FIRST_FLAG = re.compile(r"(?<!\S)(?:--|—|–)(?=[A-Za-z])")
EQUALS = re.compile(r"(?<!\S)(--[A-Za-z]\w*)=")
NAMED_FLAG = re.compile(r"--([A-Za-z]\w*)")
# Phones write a dash for two hyphens; in prose a dash is one, so only known parameters count there.
DASHED_FLAG = re.compile(r"[—–]([A-Za-z]\w*)")
ALIASES = {
    "version": "v", "aspect": "ar", "stylize": "s", "chaos": "c", "quality": "q", "weird": "w", "repeat": "r",
    "personalize": "p", "profile": "p",
}  # fmt: skip
ALONE = {"tile", "hd", "video", "fast", "relax", "turbo", "test", "testp", "creative", "uplight", "upbeta", "draft",
         "beta", "stealth", "public", "raw", "sameseed"}  # fmt: skip
SEVERAL = {"no", "sref", "cref", "oref"}  # all words up to the next parameter
KNOWN = ALONE | SEVERAL | {
    *ALIASES, *ALIASES.values(), "niji", "style", "stop", "seed", "iw", "sw", "cw", "ow", "sv", "exp", "w", "h",
}  # fmt: skip


@dataclass(frozen=True)
class Message:
    """`prompt` as it was written, parameters included; empty where there is none."""

    prompt: str
    is_chosen: bool

    @classmethod
    def of(cls, content: str, between_stars: bool) -> Message:
        """Read a message; a prompt may hold stars itself, so it reaches to the last ones."""
        if not between_stars:
            return cls(content, bool(CHOSEN.search(content)))
        start, end = content.find(STARS), content.rfind(STARS)
        if end < start + len(STARS):
            return cls("", False)
        return cls(content[start + len(STARS) : end], bool(CHOSEN.match(content, end + len(STARS))))


def split_parameters(prompt: str) -> tuple[str, list[tuple[str, str]]]:
    """The words of a prompt, and its parameters with their values, in small letters and under their short names."""
    first = FIRST_FLAG.search(prompt)
    if first is None:
        return prompt, []
    words = [prompt[: first.start()].rstrip()]
    parameters: list[tuple[str, str]] = []
    rest = prompt[first.start() :]
    tokens = (EQUALS.sub(r"\1 ", rest) if "=" in rest else rest).split()
    place = 0
    while place < len(tokens):
        name = _name(tokens[place])
        place += 1
        if not name:  # a dash, or words behind a parameter
            words.append(tokens[place - 1])
            continue
        end = place
        most = len(tokens) if name in SEVERAL else place + _values(name, tokens[place : place + 1])
        while end < min(most, len(tokens)) and not _name(tokens[end]):
            end += 1
        value = " ".join(tokens[place:end]).lower().rstrip(",.;")
        parameters.append((name, value))
        place = end
    return " ".join(words), parameters


def _name(token: str) -> str:
    """The parameter that a word names, or nothing."""
    if token[0] not in "-—–":
        return ""
    match = NAMED_FLAG.fullmatch(token.rstrip(",."))
    if match:
        return ALIASES.get(match[1].lower(), match[1].lower())
    match = DASHED_FLAG.fullmatch(token.rstrip(",."))
    name = match[1].lower() if match else ""
    return ALIASES.get(name, name) if name in KNOWN else ""


def _values(name: str, following: list[str]) -> int:
    """How many words behind it belong to a parameter."""
    if name in ALONE:
        return 0
    if name in ("niji", "p"):  # these stand with and without a value
        return int(bool(following) and any(sign.isdigit() for sign in following[0]))
    return 1


def flags_text(parameters: list[tuple[str, str]]) -> str:
    """The parameters as one text in which `|v=5|` is found, and `|tile=` whatever its value."""
    return "".join(f"|{name}={value}" for name, value in parameters) + "|" if parameters else ""


def wanted_flag(flag: str) -> str:
    """What is looked for in `flags_text` for a parameter as users write it: `--v 5`, `v 5` or `tile`."""
    name, _, value = flag.strip().lower().lstrip("-—–").replace("=", " ", 1).partition(" ")
    name, value = ALIASES.get(name, name), " ".join(value.split())
    return f"|{name}={value}|" if value else f"|{name}="


def caption_of(prompt: str, options: LogCaptions) -> str:
    """The prompt as a caption on one line, without what the options don't keep."""
    return cleaned(prompt if options.keep_parameters else split_parameters(prompt)[0], options)


def cleaned(text: str, options: LogCaptions) -> str:
    """The words of a prompt on one line, without links, mentions and weights unless the options keep them."""
    if not options.keep_links and "http" in text.lower():
        text = LINK.sub(" ", text)
    if not options.keep_mentions and ("<" in text or "@" in text):
        text = MENTION.sub(" ", text)
    if not options.keep_weights and "::" in text:
        text = WEIGHT.sub(" ", text)
    text = " ".join((MARKERS.sub("", text) if "*" in text or "|" in text or "`" in text else text).split())
    return SPACED_SIGN.sub(r"\1", text).strip(" ,;")
