"""What the doors count: each request once, also through errors and repeats."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from channels.contract import InboundRequest, Origin
from services.ingress.submission import Away, Outcome, Result, Submission
from services.ingress.tally import Tally

SMS, FORM = uuid4(), uuid4()
REQUEST = InboundRequest("POST", "http://tamas/", (), b"", datetime.now(UTC), Origin("shop", "twilio:+98"))


def _one(inbox_id: UUID, result: Result | None = None) -> Submission:
    made = Submission(REQUEST, inbox_id)
    if result is not None:
        made.settle(Outcome(result, ()))
    return made


def test_a_group_is_counted_by_inbox_and_result() -> None:
    tally = Tally()
    tally.committed([_one(SMS, "accepted"), _one(SMS, "accepted"), _one(SMS, "duplicate"), _one(FORM, "parked")], 0.02)
    tally.committed([_one(SMS, "accepted")], 0.001)
    assert tally.results == {(SMS, "accepted"): 3, (SMS, "duplicate"): 1, (FORM, "parked"): 1}
    assert (sum(tally.sizes.counts), tally.sizes.total, tally.failures) == (2, 5, 0)
    assert tally.last_accepted.keys() == {SMS}


def test_what_was_settled_before_an_error_counts_once() -> None:
    """A group that is halved may be in the record by half when the database goes away."""
    tally = Tally()
    settled, waiting = _one(SMS, "accepted"), _one(SMS)
    tally.failed([settled, waiting])
    waiting.settle(Outcome("accepted", ()))
    tally.committed([waiting], 0.5)
    assert tally.results == {(SMS, "accepted"): 2}
    assert tally.failures == 1


def test_what_is_refused_is_no_result() -> None:
    tally = Tally()
    refused = _one(SMS)
    refused.settle(Away("the record is away"))
    tally.failed([refused])
    tally.refuse(SMS, "away")
    assert (dict(tally.results), dict(tally.refused)) == ({}, {(SMS, "away"): 1})
