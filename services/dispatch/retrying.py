"""When it is tried again, and when no more. Pure."""

from datetime import datetime, timedelta
from typing import Final

MOST_TRIES: Final = 8
LONGEST: Final = timedelta(hours=24)
_FIRST_SECONDS: Final = 10.0
_FACTOR: Final = 3.0
_MOST_SECONDS: Final = 4 * 3600.0
_SPREAD: Final = 0.5


def retry_at(
    tries: int, since_at: datetime, at: datetime, after_seconds: float | None, chance: float
) -> datetime | None:
    """After so many tries since then; None: no more. 10 s, 30 s, 90 s, … each up to half as much longer by `chance`."""
    if tries >= MOST_TRIES:
        return None
    seconds = min(_FIRST_SECONDS * _FACTOR ** (tries - 1), _MOST_SECONDS) * (1 + _SPREAD * chance)
    again_at = at + timedelta(seconds=max(seconds, after_seconds or 0.0))
    return None if again_at - since_at > LONGEST else again_at
