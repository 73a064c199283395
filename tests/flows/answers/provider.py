"""Twilio on a bad day: each number has its own trouble, and reports come early, late, twice and out of order."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
from anyio.from_thread import start_blocking_portal

from schemas.interaction import DeliveryState
from services.demo.twilio import Made, Mode, Twilio, running

TROUBLES: Final[tuple[Mode, ...]] = (
    *("well", "well", "well", "throttle", "well", "hangs_up", "well", "nonsense"),
    *("well", "away", "well", "html", "well", "broken", "well", "silent"),
)
"""In turn, by customer."""
UNSURE: Final = frozenset({"hangs_up", "nonsense", "html", "silent", "broken"})
"""Of these nobody can tell whether it took the message; "broken" did not."""
_TURNED_AWAY: Final = frozenset({"throttle", "away"})
_TROUBLED: Final = 0.4
"""Of what a number is sent; the first is always."""
_COURSES: Final[tuple[tuple[DeliveryState, ...], ...]] = (
    ("sent", "delivered"),
    ("delivered", "sent"),
    ("sent", "sent", "delivered", "delivered"),
    ("sent", "delivered", "sent", "delivered"),
    ("sent", "failed"),
    ("failed", "delivered"),
    ("delivered", "failed"),
    (),
)
_LATE_SECONDS: Final = (0.0, 0.0, 0.3, 3.0)
_AGAIN_SECONDS: Final = 0.2
_UNREACHABLE: Final = 30005


@dataclass
class Moody(Twilio):
    """`moods` by number. The same seed gives a text the same trouble and the same reports."""

    moods: Mapping[str, Mode] = field(default_factory=dict[str, Mode])
    seed: int = 0
    told: dict[str, set[DeliveryState]] = field(default_factory=dict[str, set[DeliveryState]], init=False)
    """Of each text, what was reported and heard."""
    met: Counter[Mode] = field(default_factory=Counter[Mode], init=False)
    unsure: set[str] = field(default_factory=set[str], init=False)
    """Texts that were not answered as they should have been."""
    _first: dict[str, str] = field(default_factory=dict[str, str], init=False)
    _tries: Counter[str] = field(default_factory=Counter[str], init=False)

    def mode_for(self, fields: Mapping[str, str]) -> Mode:
        """Turned away is only a first try: what is always turned away tells nothing of what comes after."""
        to, text = fields["To"], fields["Body"]
        mode, first = self.moods.get(to, "well"), self._first.setdefault(to, text)
        self._tries[text] += 1
        is_troubled = text == first or self._chance("trouble", text).random() < _TROUBLED
        if not is_troubled or (mode in _TURNED_AWAY and self._tries[text] > 1):
            mode = "well"
        self.met[mode] += 1
        if mode in UNSURE:
            self.unsure.add(text)
        return mode

    async def taking(self, found: Made) -> None:
        """A report may be faster than the answer to the request."""
        chance = self._chance("reports", found["Body"])
        course, late = chance.choice(_COURSES), chance.choice(_LATE_SECONDS)
        if chance.random() < 0.2:
            await self._tell_all(found, course, 0.0)
        else:
            self.beside(self._tell_all(found, course, late))

    async def _tell_all(self, found: Made, course: tuple[DeliveryState, ...], late_seconds: float) -> None:
        await asyncio.sleep(late_seconds)
        for state in course:
            while not await self._heard(found, state):
                pass
            self.told.setdefault(found["Body"], set()).add(state)

    async def _heard(self, found: Made, state: DeliveryState) -> bool:
        try:
            (status,) = await self.report(found.sid, state, error_code=_UNREACHABLE if state == "failed" else None)
        except httpx.HTTPError:
            status = 0
        if not httpx.codes.is_success(status):
            await asyncio.sleep(_AGAIN_SECONDS)
            return False
        return True

    def _chance(self, what: str, text: str) -> random.Random:
        return random.Random(f"{what} {self.seed} {text}")  # noqa: S311 - the same each time


@contextmanager
def standing_in(twilio: Moody) -> Generator[Callable[[], None]]:
    """It answers from a thread of its own; what this gives waits until all its reports were heard."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(twilio)):
        yield lambda: portal.call(twilio.settled)
