"""Which blows fall, on whom, and when. The same seed gives the same ones."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final, Literal

Way = Literal["SIGKILL", "SIGSTOP"]
WORKERS: Final = {
    "edge": "ingress",
    "parser": "parser",
    "core": "relay",
    "views": "projector",
    "postgres": "PostgreSQL",
}
"""Processes of `tamas up`, and what they are known for."""
_ONE_FOR: Final = 40


@dataclass(frozen=True)
class Blow:
    """When so many contacts are accepted. `seconds` is how long it stays frozen, or away where nobody starts it."""

    at: int
    role: str
    way: Way
    seconds: float


def planned(
    seed: int,
    contacts: int,
    roles: Sequence[str],
    ways: Sequence[Way] = ("SIGKILL", "SIGSTOP"),
    seconds: tuple[float, float] = (0.5, 6.0),
) -> list[Blow]:
    """One for about 40 contacts; each role in each way before any comes again."""
    chance = random.Random(f"blows {seed}")  # noqa: S311 - the same each time
    deck = list(product(roles, ways))
    count = max(len(deck), contacts // _ONE_FOR)
    dealt: list[tuple[str, Way]] = []
    while len(dealt) < count:
        chance.shuffle(deck)
        dealt += deck
    step = contacts / (count + 1)
    return [
        Blow(round((n + 1) * step), role, way, round(chance.uniform(*seconds), 1))
        for n, (role, way) in enumerate(dealt[:count])
    ]
