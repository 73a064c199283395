"""What became of a message, from what its stream says, in every order in which that can be."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

from schemas.event import AnyFact, Event, read_fact
from schemas.outbound import MessageAsked, MessageResolved
from services.answering.message import Message, message_after
from services.answering.people import judged, withdrawn
from services.record.errors import Refused

_ID, _INBOX = UUID(int=7), UUID(int=8)
_NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
_COMMON: dict[str, Any] = {"message_id": _ID, "version": 1}
_WORDS: dict[str, dict[str, Any]] = {
    "started": {"type": "message.started", "channel": "sms/twilio", "inbox_id": _INBOX},
    "handed_off": {"type": "message.handed_off", "provider_id": "SM1", "receipts_as": UUID(int=9)},
    "refused": {"type": "message.refused", "code": "throttled", "why": "Too fast.", "retry_at": _NOON},
    "over": {"type": "message.refused", "code": "21610", "why": "They said STOP."},
    "doubt": {"type": "message.in_doubt", "why": "No answer came."},
    "arrived": {"type": "message.judged", "judged": "arrived"},
    "not_sent": {"type": "message.judged", "judged": "not_sent"},
    "withdrawn": {"type": "message.withdrawn"},
    "failed": {"type": "message.failed", "code": "no_way", "why": "Nothing more is tried."},
    "again": {"type": "message.resolved", "round": 2, "channel": "email/smtp", "inbox_id": _INBOX},
}
_NUMBERED = {"started", "handed_off", "refused", "over", "doubt"}


def _told(words: str) -> Message:
    """`started`, `handed_off:2` of the second attempt, `delivered`, `failed:1` as a receipt of the first."""
    facts: list[AnyFact] = [
        MessageAsked(message_id=_ID, address_id=UUID(int=1)),
        MessageResolved(message_id=_ID, channel="sms/twilio", inbox_id=_INBOX, code="question"),
    ]
    for word in words.split():
        name, _, number = word.partition(":")
        known = _WORDS.get(name)
        if known is None or (name == "failed" and number):
            given = {"type": "message.reported", "state": name, "attempt": int(number or 1)}
        else:
            given = known | ({"attempt": int(number or 1)} if name in _NUMBERED else {})
        facts.append(_fact({**_COMMON, **given}))
    found = message_after(
        Event(place, UUID(int=place), 1, "shop", "outbound", _ID, None, at, at, fact)
        for place, fact in enumerate(facts, 1)
        for at in [_NOON + timedelta(seconds=place)]
    )
    assert found is not None
    assert found.position == len(facts)
    return found


def _fact(given: dict[str, Any]) -> AnyFact:
    return read_fact(orjson.dumps(given))


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("", "queued"),
        ("started", "sending"),
        ("started handed_off", "sent"),
        ("started handed_off queued sent", "sent"),
        ("started handed_off sent delivered", "delivered"),
        ("started handed_off read delivered", "read"),
        ("started handed_off delivered sent", "delivered"),
        ("started handed_off failed:1", "failed"),
        ("started handed_off failed:1 delivered", "delivered"),
        ("started handed_off failed:1 again", "queued"),
        ("started handed_off failed:1 failed", "failed"),
        ("started refused", "queued"),
        ("started refused started:2 handed_off:2", "sent"),
        ("started over again started:2 handed_off:2", "sent"),
        ("started over failed", "failed"),
        ("started doubt", "in_doubt"),
        ("started doubt sent", "sent"),
        ("started doubt delivered", "delivered"),
        ("started doubt arrived", "delivered"),
        ("started doubt not_sent", "queued"),
        ("started doubt not_sent started:2 handed_off:2 failed:1", "sent"),
        ("started doubt not_sent started:2 delivered", "delivered"),
        ("started doubt not_sent delivered started:2 handed_off:2", "delivered"),
        ("withdrawn", "withdrawn"),
        ("failed", "failed"),
    ],
)
def test_what_it_is_now(words: str, state: str) -> None:
    assert _told(words).state == state


def test_every_attempt_and_receipt_is_kept() -> None:
    message = _told("started refused started:2 doubt:2 sent:2 delivered:2")
    first, second = message.attempts
    assert (first.outcome, first.code, first.why, first.retry_at) == ("refused", "throttled", "Too fast.", _NOON)
    assert (second.outcome, second.why, second.code) == ("in_doubt", "No answer came.", None)
    assert second.ended_at is not None
    assert second.started_at < second.ended_at
    assert [(one.attempt, one.state) for one in message.receipts] == [(2, "sent"), (2, "delivered")]


def test_a_fallback_keeps_where_it_was_to_go_first() -> None:
    message = _told("started over again")
    assert message.first is not None
    assert message.resolved is not None
    assert (message.first.channel, message.resolved.channel) == ("sms/twilio", "email/smtp")
    assert (_told("failed").code, _told("failed").why) == ("no_way", "Nothing more is tried.")


@pytest.mark.parametrize("words", ["", "started refused", "started over again"])
def test_what_was_not_sent_can_be_taken_back(words: str) -> None:
    (fact,) = withdrawn(_told(words), None)
    assert (fact.message_id, withdrawn(_told("withdrawn"), None)) == (_ID, ())


@pytest.mark.parametrize(
    "words", ["started", "started handed_off", "started doubt", "started doubt not_sent", "failed"]
)
def test_what_may_be_out_cannot(words: str) -> None:
    with pytest.raises(Refused, match="take"):
        withdrawn(_told(words), None)


def test_only_a_doubt_is_settled() -> None:
    (fact,) = judged(_told("started doubt"), "arrived", _INBOX)
    assert (fact.judged, fact.agent_id) == ("arrived", _INBOX)
    assert judged(_told("started doubt not_sent"), "not_sent", None) == ()
    for words in ("", "started", "started doubt delivered", "started doubt arrived"):
        with pytest.raises(Refused, match="no doubt"):
            judged(_told(words), "not_sent", None)
