"""All read models, in the sets that share fetch, decoding and transaction."""

from typing import Final

from projections.contract import Projection
from projections.queues.projection import QUEUES
from projections.search.projection import SEARCH
from projections.timeline.projection import TIMELINE
from schemas.topics import Topic

SETS: Final[dict[str, tuple[Projection, ...]]] = {"views": (TIMELINE, QUEUES), "search": (SEARCH,)}
"""A set moves through the topics as one: its read models are always at the same position."""


def topics_of(projections: tuple[Projection, ...]) -> tuple[Topic, ...]:
    """The topics that a set reads, sorted."""
    return tuple(sorted({topic for projection in projections for topic in projection.topics}))
