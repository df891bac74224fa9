"""Ranks of single blocks of a network, written `mid_block=32, up_blocks_1*=8`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from lib_trainer.core.errors import ConfigError

MOST = 1024


@dataclass(frozen=True)
class BlockRanks:
    """Patterns of layers' names with the rank of each; of several that fit, the first counts."""

    rules: tuple[tuple[str, int], ...] = ()

    @classmethod
    def parse(cls, text: str) -> BlockRanks:
        """Read `pattern=rank` pairs with commas between them; nothing is no rule.

        Raises:
            ConfigError: a pair is none, or its rank is out of bounds.
        """
        rules = []
        for pair in filter(None, (each.strip() for each in text.split(","))):
            pattern, _, rank = (each.strip() for each in pair.rpartition("="))
            if not pattern or not rank.isdecimal() or int(rank) > MOST:
                raise ConfigError(
                    f"{pair!r} is no pair of a block and its rank from 0 to {MOST}, such as 'mid_block=32' or "
                    "'up_blocks_1*attn2=8'; put commas between pairs."
                )
            rules.append((pattern, int(rank)))
        return cls(tuple(rules))

    def __str__(self) -> str:
        return ", ".join(f"{pattern}={rank}" for pattern, rank in self.rules)

    def rank_of(self, name: str, otherwise: int) -> int:
        """The rank of the layer of that name (kohya's); a pattern may stand anywhere in it."""
        return next((rank for pattern, rank in self.rules if _fits(name, pattern)), otherwise)

    def check(self, names: Iterable[str]) -> None:
        """Check that each pattern fits one of the names.

        Raises:
            ConfigError: one does not.
        """
        known = list(names)
        for pattern, _ in self.rules:
            if not any(_fits(name, pattern) for name in known):
                raise ConfigError(
                    f"'trainable.block_ranks' has {pattern!r}, which is in the name of no layer that is trained; "
                    f"names are such as {', '.join(known[:2])}."
                )


def _fits(name: str, pattern: str) -> bool:
    return fnmatchcase(name, f"*{pattern}*")
