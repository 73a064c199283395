"""How much poison is too much: single bad records are set aside, a flood of them stops the consumer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

RUN: Final = 50
"""So many in a row from one source."""
RATIO: Final = 0.2
"""Or this part of the last `WINDOW` records, once there are enough to tell."""
WINDOW: Final = 1000
_ENOUGH: Final = 100

Source: TypeAlias = tuple[str, str]
"""Topic and tenant: one tenant's flood is told from another's silence."""


class TooMuchPoison(Exception):
    """Setting this much aside would empty a read model in silence: a person has to look."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What a source sent lately."""

    seen: int = 0
    parked: int = 0
    run: int = 0

    def passed(self, count: int) -> "Tally":
        """With so many good records more."""
        halves = max(0, (self.seen + count - 1) // WINDOW)
        return Tally(min(self.seen + count, WINDOW), self.parked >> halves, 0)

    def after(self, *, parked: bool) -> "Tally":
        """With one record more; older ones weigh less and less."""
        if self.seen >= WINDOW:
            return replace(self, seen=self.seen // 2, parked=self.parked // 2).after(parked=parked)
        return Tally(self.seen + 1, self.parked + parked, self.run + 1 if parked else 0)

    @property
    def too_much(self) -> bool:
        """Whether a limit is reached."""
        return self.run >= RUN or (self.parked >= _ENOUGH and self.parked > RATIO * self.seen)


class Guard:
    """Counts per source. `weigh` first, `accept` once the batch is committed: a repeated batch counts once."""

    def __init__(self) -> None:
        self._tallies: Final[dict[Source, Tally]] = {}

    def weigh(self, outcomes: Iterable[tuple[Source, bool]]) -> dict[Source, Tally]:
        """The tallies with these outcomes (source, parked).

        Raises:
            TooMuchPoison: a limit is reached.
        """
        after: dict[Source, Tally] = {}
        for source, parked in outcomes:
            tally = (after.get(source) or self._tallies.get(source) or Tally()).after(parked=parked)
            after[source] = tally
            if parked and tally.too_much:
                raise TooMuchPoison(
                    f"{tally.parked} of the last {tally.seen} records of {source[0]}, tenant {source[1] or 'unknown'}, "
                    f"could not be processed, {tally.run} in a row: look at what writes there (`tamas parked list`), "
                    "then start the projector again"
                )
        return after

    def passed(self, counts: Mapping[Source, int]) -> dict[Source, Tally]:
        """The tallies with so many good records; quicker than `weigh`."""
        return {source: self._tallies.get(source, Tally()).passed(count) for source, count in counts.items()}

    def accept(self, tallies: dict[Source, Tally]) -> None:
        """Keep what `weigh` returned."""
        self._tallies.update(tallies)
