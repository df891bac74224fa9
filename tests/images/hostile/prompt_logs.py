"""Hostile CSV files, for the step `promptlog`."""

from __future__ import annotations

from tests.images.hostile.table import Attempt, fill

HEAD = "AuthorID,Author,Date,Content,Attachments,Reactions\n"
LOG = "promptlog --files PLACE/in"


def row(words, number=1):
    return f'"{number}","ann","2023-05-01","**{words}** - Upscaled by <@1>","http://127.0.0.1/{number}.png",""\n'


def rows(place):
    text = HEAD + row("a fox") + '"2","bob"\n' + row("b" * 2_000_000) + row("nul \0 fox") + row("d, cat", 4)
    fill(place / "in", {"log.csv": text, "west.csv": (HEAD + row("größer", 9)).encode("cp1252"),
                        "wide.csv": (HEAD + row("wide", 10)).encode("utf-16")})  # fmt: skip


def text(content):
    return lambda place: fill(place / "in", {"log.csv": content})


def links(place):
    """One message for each link that must not be followed."""
    addresses = ("http://127.0.0.1/a.png", "http://169.254.169.254/b.png", "file:///etc/hostname", "http://[::1]/c.png",
                 "http://2130706433/d.png")  # fmt: skip
    rows = (f'"1","ann","2023-05-01","**fox {number}**","{link}",""\n' for number, link in enumerate(addresses))
    fill(place / "in", {"log.csv": HEAD + "".join(rows)})


ATTEMPTS = {
    "links": Attempt(
        f"{LOG} --pictures download --output PLACE/out --download.attempts 1", links,
        {
            "a link to this computer": ("127.0.0.1",),
            "a link to a cloud's secrets": ("169.254.169.254",),
            "a link to this computer as one number": ("2130706433",),
        },
    ),
    "log rows": Attempt(
        LOG, rows,
        {
            "a message of 2 MB": ("log.csv", "longer than any message"),
            "a row that is cut off": ("log.csv", "fields"),
            "a log in Windows' letters": ("west.csv is not UTF-8", "cp1252"),
            "a log in UTF-16": ("wide.csv is not UTF-8", "utf-16"),
        },
    ),
    "no log": Attempt(LOG, text("<html>404</html>"), {"a web page for a log": ("Content",)}, fails=True),
    "empty log": Attempt(LOG, text(""), {"a log of 0 bytes": ("log.csv",)}, fails=True),
    "pattern": Attempt(
        f"{LOG} --filters.words '(a'", text(HEAD + row("a fox")),
        {"half a regular expression": ("'filters.words' is '(a', no regular expression",)}, fails=True,
    ),
    "slow pattern": Attempt(
        f"{LOG} --filters.words '(a+)+b'", text(HEAD + row("a" * 30_000)),
        {"a regular expression that takes for ever": ("Words", "0")},
    ),
}  # fmt: skip
