"""What became of requests, as plain numbers: counted once a group, read when somebody scrapes."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, Literal
from uuid import UUID

from services.ingress.submission import Submission
from services.metrics.catalogue import SECONDS, SIZES
from services.metrics.meters import Histogram, Labels, Numbers, watch
from services.tenancy.directory import Directory

Reason = Literal["signature", "token", "fields", "away"]


class Tally:
    """One per process, for all its doors."""

    def __init__(self) -> None:
        """Everything at nought."""
        self.results: Final[Counter[tuple[UUID, str]]] = Counter()
        self.refused: Final[Counter[tuple[UUID, str]]] = Counter()
        self.turned_away: Final[Counter[str]] = Counter()
        self.last_accepted: Final[dict[UUID, float]] = {}
        self.sizes: Final = Histogram(SIZES)
        self.seconds: Final = Histogram(SECONDS)
        self.failures = 0

    def committed(self, group: Sequence[Submission], seconds: float) -> None:
        """A group is in the record, and everybody in it was answered."""
        self.sizes.observe(len(group))
        self.seconds.observe(seconds)
        self._count(group)

    def failed(self, group: Sequence[Submission]) -> None:
        """A try ended in an error; what was settled before it counts."""
        self.failures += 1
        self._count([one for one in group if one.outcome is not None])

    def refuse(self, inbox_id: UUID, reason: Reason) -> None:
        """The door of this inbox refused a request."""
        self.refused[inbox_id, reason] += 1

    def _count(self, group: Sequence[Submission]) -> None:
        # Counted by request first, in C; hashing an id and adding one by one takes four times as long.
        counts = Counter([(one.inbox_id, one.outcome.result) for one in group if one.outcome is not None])
        now = time.time()
        for key, count in counts.items():
            self.results[key] += count
            if key[1] == "accepted":
                self.last_accepted[key[0]] = now


def told(tally: Tally, directory: Directory, waiting: Callable[[], int], away_seconds: Callable[[], float]) -> None:
    """Tell the numbers of a process's doors."""

    def inbox(inbox_id: UUID) -> Labels:
        return _labels(directory, inbox_id)

    def results() -> Numbers:
        # A series that begins at nought: Prometheus sees no increase in one that begins at one.
        known = {(one.inbox_id, "accepted"): 0 for one in directory.all()}
        closed = {one.inbox_id for one in directory.all() if one.disabled}
        counts = {**known, **tally.results}
        return {(*inbox(one), result): count for (one, result), count in counts.items() if one not in closed}

    watch("tamas_intake_requests", results)
    watch("tamas_intake_refused", lambda: {(*inbox(one), why): count for (one, why), count in tally.refused.items()})
    watch("tamas_intake_turned_away", lambda: {(why,): count for why, count in tally.turned_away.items()})
    watch(
        "tamas_intake_last_accepted_timestamp_seconds",
        lambda: {inbox(one): at for one, at in tally.last_accepted.items()},
    )
    watch("tamas_intake_waiting_requests", lambda: {(): waiting()})
    watch("tamas_intake_away_seconds", lambda: {(): away_seconds()})
    watch("tamas_append_group_requests", lambda: {(): tally.sizes})
    watch("tamas_append_seconds", lambda: {(): tally.seconds})
    watch("tamas_append_failures", lambda: {(): tally.failures})


def gaps(counts: Counter[tuple[UUID, str]], directory: Directory) -> Numbers:
    """Mails that were gone from a mailbox before we saw them, of the counts that polling keeps."""
    return {_labels(directory, one): count for (one, word), count in counts.items() if word == "vanished"}


def _labels(directory: Directory, inbox_id: UUID) -> Labels:
    found = directory.by_id(inbox_id)
    return ("", "", str(inbox_id)) if found is None else (found.tenant, found.channel, str(inbox_id))
