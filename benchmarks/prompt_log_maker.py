"""Prompt logs with known contents: what each filter must leave is counted while the rows are made, without parsing."""

from __future__ import annotations

import csv
import io
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

HEADER = ["AuthorID", "Author", "Date", "Content", "Attachments", "Reactions"]
FILTERS = {  # what the log is filtered by; `Truth` counts the same
    "flags": ["v 5", "style raw"],
    "without_flags": ["tile"],
    "upscaled": True,
    "since": "2023-05-03",
    "until": "2023-05-25",
    "words": "harbou?r|meadow|猫",
    "without_words": "poster",
    "fewest_words": 4,
    "most_words": 20,
    "users_from": 0.5,
    "one_per_prompt": True,
}
SUBJECTS = ("harbour", "harbor", "meadow", "猫", "tower", "Füchslein", "l'été", "forest", "poster", "naïve street")
WORDS = ("old", "soft light", "wide view", "detailed", "oil on canvas", "35 mm", "at dawn", "calm", "misty", "bright")
BEHIND = (" - Upscaled by <@{u}> (fast)", " - Image #{i} <@{u}>", " - Variations by <@{u}>", " - <@{u}> (relaxed)", "")
TITLES = 14


@dataclass
class Truth:
    """How many messages each filter leaves, in their order, the rows that can't be read, and the links left."""

    counts: list[int] = field(default_factory=lambda: [0] * TITLES)
    rejects: Counter[str] = field(default_factory=Counter)
    left: list[tuple[int, str, str]] = field(default_factory=list)  # user, prompt, link
    links: list[str] = field(default_factory=list)

    def end(self) -> None:
        """The filters that look at all that is left: users, then one message per prompt."""
        activity = Counter(user for user, _, _ in self.left)
        amounts = sorted(activity.values())
        places = {amount: sum(other < amount for other in amounts) / len(amounts) for amount in set(amounts)}
        left = [row for row in self.left if places[activity[row[0]]] >= FILTERS["users_from"]]
        first: dict[str, str] = {}
        for _, prompt, link in left:
            first.setdefault(prompt.lower(), link)
        self.counts[12], self.counts[13] = len(left), len(first)
        self.links = list(dict.fromkeys(link for link in first.values() if link))


@dataclass
class Message:
    """One message, and what is true of it."""

    user: int
    day: int
    words: str
    flags: list[str]
    behind: str
    link: str
    has_prompt: bool = True
    starts_with_link: bool = False
    has_words: bool = True

    def passes(self) -> list[bool]:
        """Whether it passes each filter on single messages."""
        count = len(self.words.split())
        return [
            self.has_prompt,
            not self.starts_with_link,
            self.has_words,
            "--v 5" in self.flags and "--style raw" in self.flags,
            "--tile" not in self.flags,
            "Upscaled" in self.behind or "Image" in self.behind,
            3 <= self.day <= 25,
            any(word in self.words for word in ("harbour", "harbor", "meadow", "猫")),
            "poster" not in self.words,
            4 <= count <= 20,
        ]

    def content(self, chance: random.Random) -> str:
        if not self.has_prompt:
            return chance.choice(["hello <@5>", "**", "just *one* star", ""])
        flags = " ".join(self.flags)
        if chance.random() < 0.02:
            flags = flags.replace("--v 5", "—v 5").replace("--style", "--style ")
        begin = "<https://s.mj.run/abc> " if self.starts_with_link else ""
        noise = chance.choice(["", "", "", " <@77>", "\n", "  ", " <https://s.mj.run/x>"])
        words = self.words if self.has_words else ""
        return f"**{begin}{words}{noise if words else ''} {flags}**{self.behind}"


def make_log(folder: Path, rows: int, server: str, seed: int = 1) -> tuple[list[Path], Truth]:
    """Write three files with this many messages in all, and rows that can't be read besides; and the truth of them."""
    chance, truth = random.Random(seed), Truth()
    paths = []
    for number, encoding in enumerate(("utf-8-sig", "utf-16", "utf-8")):
        path = folder / f"channel-{number}.csv"
        share = range(rows * number // 3, rows * (number + 1) // 3)
        with path.open("w", encoding=encoding, errors="surrogateescape", newline="") as file:
            _write(file, share, server, chance, truth, bool(number != 1))
        paths.append(path)
    truth.counts[0] = rows
    truth.counts[11] = len(truth.left)
    truth.end()
    del truth.counts[11]  # no filter by reactions is used
    return paths, truth


def _write(file: io.TextIOBase, numbers: range, server: str, chance: random.Random, truth: Truth, odd: bool) -> None:
    writer = csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator=chance.choice(["\n", "\r\n"]))
    writer.writerow(HEADER)
    for number in numbers:
        message = _message(number, server, chance)
        passed = 0
        for place, passes in enumerate(message.passes(), start=1):
            if not passes:
                break
            truth.counts[place] += 1
            passed = place
        if passed == 10:
            truth.left.append((message.user, message.words, message.link))
        day = f"{message.day:02d}"
        date = f"2023-05-{day}T10:00:00.0000000+00:00" if number % 5 else f"{day}-May-23 10:00 AM"
        link = message.link + ("?ex=1&is=2&hm=" + str(chance.randrange(9)) if message.link and number % 3 else "")
        reactions = chance.choice(["", "❤ (2), 👍 (1)"])
        writer.writerow([10**17 + message.user, f"user{message.user}", date, message.content(chance), link, reactions])
        if number % 997 == 5:
            _break(file, chance, truth, odd)


def _message(number: int, server: str, chance: random.Random) -> Message:
    words = [*chance.choices(SUBJECTS, k=2), *chance.choices(WORDS, k=chance.randrange(0, 7))]
    words += [str(chance.randrange(3000))] if chance.random() < 0.7 else []
    flags = [chance.choice(["--v 5", "--v 5", "--v 5", "--v 5.2", "--v 4", "--niji 5"])]
    flags += chance.choice([["--style raw"], ["--style raw"], ["--style cute"], []])
    flags += chance.choice([[], [], [], ["--tile"], ["--no cars, people"], ["--ar 16:9"]])
    chance.shuffle(flags)
    user = min(int(chance.paretovariate(1.1)), 20_000)
    behind = chance.choice(BEHIND).format(u=user, i=chance.randrange(1, 5))
    picture = chance.randrange(10**9) if chance.random() > 0.01 else 7
    link = f"{server}/pictures/{picture}.png" if chance.random() > 0.02 else ""
    message = Message(user, chance.randrange(1, 29), " ".join(words), flags, behind, link)
    kind = chance.random()
    message.has_prompt = kind > 0.03
    message.starts_with_link = 0.03 < kind < 0.1
    message.has_words = not 0.1 < kind < 0.11
    return message


def _break(file: io.TextIOBase, chance: random.Random, truth: Truth, odd: bool) -> None:
    """A row that can't be read."""
    kinds = {
        "another number of fields": '"1","2","3"\n',
        "a quote in the middle": '"1","x","2023-05-05","**say "hi" --v 5**","",""\n',
        "a quote that is not closed": '"1","x","2023-05-05","**open --v 5**\n',
        "the header once more": ",".join(HEADER) + "\n",
        "a NUL": '"1","x","2023-05-05","**a\0b --v 5**","",""\n',
        "broken letters": '"1","x","2023-05-05","**a\udcffb --v 5**","",""\n',
    }
    known = list(kinds) if odd else list(kinds)[:-1]  # UTF-16 has no single broken byte
    kind = chance.choice(known)
    truth.rejects[kind] += 1
    file.write(kinds[kind])
