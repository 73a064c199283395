from typing import Any
from uuid import UUID

import pytest

from channels.capabilities import CAPABILITIES
from channels.chat import widget_frames as frames
from channels.chat.widget import Widget, WidgetConfig
from channels.errors import Malformed
from schemas.interaction import ReceiptReported
from tests.channels.chat.recordings import (
    DRAWN,
    ID,
    KEY,
    ORIGIN,
    OTHER_ID,
    hello,
    line,
    message,
    proven,
    recording,
    seen,
    welcome,
)

WIDGET = Widget(WidgetConfig.model_validate({"proof_key": KEY}))


def told(*spoken: Any) -> list[tuple[UUID, str]]:
    facts = [heard.fact for heard in WIDGET.parse(recording(*spoken))]
    return [(fact.interaction_id, fact.state) for fact in facts if isinstance(fact, ReceiptReported)]


def receipt(message_id: str, state: str) -> tuple[UUID, str]:
    return ORIGIN.derive(message_id, "interaction"), state


def test_a_receipt_names_our_message_and_its_visitor() -> None:
    (heard,) = WIDGET.parse(recording(hello(), welcome(), line(2), seen(2)))
    fact = heard.fact
    assert isinstance(fact, ReceiptReported)
    assert (fact.state, fact.channel, fact.reported) == ("delivered", "chat/widget", "seen")
    assert (fact.interaction_id, fact.state) == receipt(ID, "delivered")
    assert fact.personal is not None
    assert heard.address == fact.personal.address == f"chat:v.{DRAWN}"
    (proved,) = WIDGET.parse(recording(proven("42"), line(2), seen(2)))
    assert proved.address == "chat:u.42@Shop%20site"
    assert proved.source_key == heard.source_key


@pytest.mark.parametrize(
    ("spoken", "expected"),
    [
        ((line(2), line(3, OTHER_ID), seen(3, read=True)), [(ID, "read"), (OTHER_ID, "read")]),
        ((line(2), line(3, OTHER_ID), seen(2)), [(ID, "delivered")]),
        ((line(2), seen(2), seen(2), seen(2, read=True)), [(ID, "delivered"), (ID, "read")]),
        ((line(2), seen(2), line(3, ID), seen(3)), [(ID, "delivered")]),
        ((line(2), seen(1)), []),
        ((seen(2), line(2)), []),
        ((seen(2),), []),
        (({"t": "message", "number": 2, "from": "visitor", "id": ID}, seen(2)), []),
        (({"t": "message", "number": 2, "from": "agent", "text": "as it was sent"}, seen(2)), []),
    ],
)
def test_what_was_seen_is_told_of_the_lines_before_it(spoken: Any, expected: list[tuple[str, str]]) -> None:
    assert told(hello(DRAWN), *spoken) == [receipt(*one) for one in expected]


def test_messages_and_receipts_of_one_recording_keep_their_order() -> None:
    found = WIDGET.parse(recording(hello(DRAWN), message("one", OTHER_ID), line(2), seen(2), message("two", ID)))
    assert [one.fact.type for one in found] == ["interaction.received", "receipt.reported", "interaction.received"]


def test_the_edge_records_lines_as_parsers_read_them() -> None:
    ours = {3: UUID(OTHER_ID), 2: UUID(ID)}
    assert [frames.read(frame) for frame in frames.shown(ours)] == [line(2), line(3, OTHER_ID)]


@pytest.mark.parametrize(
    "frame",
    [
        seen(-1),
        seen("2"),
        seen(True),
        seen(2.0),
        seen(None),
        seen(1 << 31),
        seen(2, read="yes"),
        {"t": "seen"},
        message(),
    ],
)
def test_what_says_nothing_of_what_was_seen(frame: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        frames.seen(frame)


@pytest.mark.parametrize("spoken", [(seen("2"),), (line(2, "no id"), seen(2))])
def test_what_is_no_recording(spoken: Any) -> None:
    with pytest.raises(Malformed):
        WIDGET.parse(recording(hello(DRAWN), *spoken))


def test_the_channel_says_what_it_reports() -> None:
    assert CAPABILITIES["chat/widget"].receipts == {"delivered", "read"}
