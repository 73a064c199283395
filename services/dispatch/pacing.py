"""How fast an inbox may send, and when it had better wait. Pure: the time is told, in seconds that only grow."""

from dataclasses import dataclass
from typing import Final

RATES: Final[dict[str, float]] = {"sms": 10.0, "email": 20.0, "chat": 200.0, "voice": 1.0}
"""Messages a second by the kind of channel, for an inbox without `rate_per_second` of its own."""
_OPENS_AFTER: Final = 5
_FIRST_SECONDS: Final = 5.0
_MOST_SECONDS: Final = 300.0
_MOST_AT_ONCE: Final = 64


@dataclass(slots=True)
class Pace:
    """Of one inbox: a token bucket that holds one second's worth, and a circuit.

    Refusals in a row that may pass open the circuit: nothing goes for a while, then one message as a trial, then all
    again, or nothing for twice as long.
    """

    rate_per_second: float
    now: float
    tokens: float = 1.0
    in_flight: int = 0
    refused_in_a_row: int = 0
    opens_at: float | None = None
    wait_seconds: float = _FIRST_SECONDS

    @property
    def is_open(self) -> bool:
        """Whether the circuit is: the provider refuses everything."""
        return self.opens_at is not None

    def allowance(self, now: float) -> int:
        """How many may start now."""
        burst = max(1.0, self.rate_per_second)
        self.tokens = min(burst, self.tokens + (now - self.now) * self.rate_per_second)
        self.now = now
        most = min(int(self.tokens), _MOST_AT_ONCE - self.in_flight)
        if self.opens_at is None:
            return max(0, most)
        return max(0, min(most, 1)) if now >= self.opens_at and self.in_flight == 0 else 0

    def started(self, count: int) -> None:
        """So many went."""
        self.tokens -= count
        self.in_flight += count

    def took(self) -> None:
        """One of them came through to the provider, whatever it said to it."""
        self.in_flight -= 1
        self.refused_in_a_row, self.opens_at, self.wait_seconds = 0, None, _FIRST_SECONDS

    def refused(self, now: float) -> None:
        """One of them did not: the provider is away, or wants less."""
        self.in_flight -= 1
        self.refused_in_a_row += 1
        if self.opens_at is not None and now < self.opens_at:
            return
        if self.opens_at is not None:
            self.wait_seconds = min(_MOST_SECONDS, self.wait_seconds * 2)
        if self.refused_in_a_row >= _OPENS_AFTER:
            self.opens_at = now + self.wait_seconds
