"""Until when topics may hold what was published: by the broker's own word, or by how Tamas makes them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from aiokafka.errors import KafkaError

from services.settings import Settings
from services.topic_state import kept, kept_as_made
from services.topics import TopicsMissing

_TOLD: Final = "retention.ms and segment.ms of the topics, as the broker has them now"
_FOR_EVER: Final = "a topic that deletes nothing: give it a retention.ms, such as 2592000000 for 30 days"
_AS_MADE: Final = "the topics as Tamas makes them; with another retention.ms or segment.ms they may hold it longer"


@dataclass(frozen=True, slots=True)
class LastDay:
    """`day` in UTC, None: for ever. `by` says in words where it is from."""

    day: date | None
    by: str


async def last_on_kafka(settings: Settings, published_at: datetime) -> LastDay:
    """The last day on which the broker may hold what was published up to this (aware) time; asks the broker."""
    if not settings.bootstrap():
        return LastDay((published_at + kept_as_made()).date(), f"no broker is known here: {_AS_MADE}")
    try:
        found = await kept(settings)
    except (KafkaError, TopicsMissing, TimeoutError) as error:
        told = type(error).__name__
        return LastDay((published_at + kept_as_made()).date(), f"the broker does not tell ({told}): {_AS_MADE}")
    try:
        return LastDay((published_at + found).date(), _TOLD)
    except OverflowError:
        return LastDay(None, _FOR_EVER)
