"""When an interaction counts as having happened."""

from datetime import datetime, timedelta
from typing import Final

_AHEAD: Final = timedelta(minutes=5)


def effective_at(occurred_at: datetime, recorded_at: datetime) -> datetime:
    """A clock of the sender's that is ahead pins nothing to the top."""
    return min(occurred_at, recorded_at + _AHEAD)
