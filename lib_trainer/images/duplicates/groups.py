"""Groups of pictures that show the same: the same file, near copies, and apart from them mirrored ones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from lib_trainer.images.duplicates.best import Member, best_of
from lib_trainer.images.duplicates.linking import Link, Sets

Kind = Literal["same", "near", "mirrored"]


@dataclass(frozen=True)
class Group:
    """Pictures of which one is enough; of mirrored ones the best of each side.

    `likeness` is each one's to another of the group, 1 for the same file.
    """

    kind: Kind
    pictures: list[Path]
    likeness: dict[Path, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """A group, best picture first, and why that one is the best."""

    kind: Kind
    members: list[Member]
    why: str
    likeness: list[float]
    thumbs: list[str]

    def as_data(self) -> dict[str, Any]:
        """As the report has it."""
        pictures = [
            {**_plain(member), "likeness": round(alike, 4), "thumb": thumb}
            for member, alike, thumb in zip(self.members, self.likeness, self.thumbs, strict=True)
        ]
        return {"kind": self.kind, "keep": self.members[0].file, "why": self.why, "pictures": pictures}


def copies_of(pictures: Sequence[Path], links: Sequence[Link], same: Mapping[Path, Path]) -> list[Group]:
    """The groups of copies; `links` count in `pictures`, `same` are the files that equal one of those."""
    sets = Sets(len(pictures))
    for link in links:
        if not link.is_mirrored:
            sets.join(link.first, link.second)
    alike: dict[Path, float] = defaultdict(float)
    for link in links:
        for number in (link.first, link.second):
            if not link.is_mirrored:
                alike[pictures[number]] = max(alike[pictures[number]], link.likeness)
    together: dict[int, list[Path]] = defaultdict(list)
    place = {path: number for number, path in enumerate(pictures)}
    for path in [*pictures, *same]:
        together[sets.of(place[same.get(path, path)])].append(path)
    groups = []
    for paths in together.values():
        if len(paths) > 1:
            is_same = len({same.get(path, path) for path in paths}) == 1
            likeness = {path: 1.0 if path in same or path in same.values() else alike[path] for path in paths}
            groups.append(Group("same" if is_same else "near", sorted(paths, key=lambda path: path.parts), likeness))
    return sorted(groups, key=lambda group: group.pictures[0].parts)


def mirrored_of(pictures: Sequence[Path], links: Sequence[Link], best: Mapping[Path, Path]) -> list[Group]:
    """Pairs of pictures of which one is the other mirrored; for a picture of a group stands the `best` of it."""
    found: dict[tuple[Path, Path], float] = {}
    for link in (link for link in links if link.is_mirrored):
        first, second = sorted(
            (best.get(path, path) for path in (pictures[link.first], pictures[link.second])),
            key=lambda path: path.parts,
        )
        if first != second:
            found[first, second] = max(link.likeness, found.get((first, second), 0))
    return [
        Group("mirrored", list(pair), dict.fromkeys(pair, alike))
        for pair, alike in sorted(found.items(), key=lambda entry: entry[0][0].parts)
    ]


def judged(group: Group, members: Mapping[Path, Member], thumbs: Mapping[Path, str]) -> Judged:
    """The group with its best picture first, the others as they were."""
    best, why = best_of([members[path] for path in group.pictures])
    paths = sorted(group.pictures, key=lambda path: members[path] is not best)
    likeness = [group.likeness.get(path, 0.0) for path in paths]
    small = [thumbs.get(path, "") for path in paths]
    return Judged(group.kind, [members[path] for path in paths], why, likeness, small)


def _plain(member: Member) -> dict[str, Any]:
    told = {
        "file": member.file,
        "width": member.size[0],
        "height": member.size[1],
        "bytes": member.bytes,
        "caption": member.caption,
    }
    if member.quality is None:
        return told
    quality = {"compression": member.quality.compression, "detail": round(member.quality.detail, 3)}
    return {**told, **quality, "bar": round(member.quality.bar, 3)}
