"""Settings of an inbox that are the house's own, whatever its channel: how fast it sends, and how long it waits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.record.errors import Refused

RATE: Final = "rate_per_second"
FALLBACK: Final = "fallback_minutes"
_BOUNDS: Final = {RATE: (0.01, 10_000.0), FALLBACK: (0.0, 7 * 24 * 60.0)}


@dataclass(frozen=True, slots=True)
class Paced:
    """None: as is usual for the channel. `fallback_minutes` 0: no other way is ever tried."""

    rate_per_second: float | None
    fallback_minutes: float | None


def paced(settings: Mapping[str, str]) -> Paced:
    """What these settings say.

    Raises:
        Refused: a value that is no number, or none that makes sense.
    """
    return Paced(_number(settings, RATE), _number(settings, FALLBACK))


def without_pace(settings: Mapping[str, str]) -> dict[str, str]:
    """The channel's own settings. Raises `Refused`, as `paced`."""
    paced(settings)
    return {name: value for name, value in settings.items() if name not in _BOUNDS}


def _number(settings: Mapping[str, str], name: str) -> float | None:
    written = settings.get(name)
    if written is None:
        return None
    least, most = _BOUNDS[name]
    try:
        number = float(written)
    except ValueError:
        number = -1.0
    if not least <= number <= most:
        raise Refused(f"{name} must be a number from {least:g} to {most:g}.")
    return number
