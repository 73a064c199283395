"""One turn: what is heard in it, and what settles in it."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import pytest

from schemas.interaction import DeliveryState
from schemas.outbound import MessageAsked, MessageInDoubt, MessageResolved, MessageStarted
from services.dispatch.commands import Took
from services.dispatch.folding import message_after
from services.dispatch.known import Held, Known, Receipt
from services.dispatch.states import Delivered, Failed, OnCourse, State
from services.dispatch.turn import Turn

NOON: Final = datetime(2026, 11, 25, 12, tzinfo=UTC)
ONE, INBOX, NAME, SOMEBODY = UUID(int=1), UUID(int=2), UUID(int=4), UUID(int=5)
ID: Final[dict[str, Any]] = {"message_id": ONE}
DOUBTFUL: Final = message_after(
    (fact, NOON)
    for fact in (
        MessageAsked(address_id=SOMEBODY, conversation_id=UUID(int=6), **ID),
        MessageResolved(channel="sms/twilio", inbox_id=INBOX, code="question", **ID),
        MessageStarted(attempt=1, channel="sms/twilio", inbox_id=INBOX, **ID),
        MessageInDoubt(attempt=1, why="?", **ID),
    )
)


def receipt(state: DeliveryState, name: UUID = NAME) -> Receipt:
    return Receipt(name, state, None, SOMEBODY, INBOX, NOON)


@pytest.mark.parametrize(
    ("before", "now", "then"),
    [
        (["failed"], ["delivered"], Delivered),
        ([], ["failed", "delivered"], Delivered),
        (["delivered"], ["failed"], Delivered),
        (["sent"], ["failed"], Failed),
    ],
)
def test_what_is_reported_in_the_turn_that_settles_a_doubt_is_heard(
    before: list[DeliveryState], now: list[DeliveryState], then: type[State]
) -> None:
    assert isinstance(DOUBTFUL, OnCourse)
    known = Known({ONE: Held("shop", 4, 1, DOUBTFUL)}, early={NAME: [receipt(one) for one in before]})
    turn = Turn(known, lambda _: None, NOON)
    other = receipt("sent", UUID(int=9))
    for one in (*map(receipt, now), other):
        turn.receipt(one)
    turn.took(ONE, Took(1, "", NAME))
    assert isinstance(known.messages[ONE].state, then)
    assert known.put_early == [other]
