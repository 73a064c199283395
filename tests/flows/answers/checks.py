"""What must be so of answers when all is quiet again: nothing twice, nothing lost, in order, and every report taken."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from schemas.conversation import ConversationReopened
from schemas.event import Event
from schemas.outbound import (
    MessageFailed,
    MessageHandedOff,
    MessageInDoubt,
    MessageRefused,
    MessageReported,
    MessageStarted,
)
from services.answering.message import Message, MessageState, message_after
from services.record.reader import Row, event_of
from tests.flows.answers.agents import Answer
from tests.flows.answers.provider import Moody

_ANSWER: Final = re.compile(rb"answer [0-9a-f-]{36}")
_OURS_DIED: Final = "Our process ended"
_ENDS: Final = (MessageHandedOff, MessageRefused, MessageInDoubt)
_TAKEN: Final = ("sent", "delivered", "read")


@dataclass(frozen=True)
class Sent:
    """What left: texts in the order in which the provider took them, texts of mails that were delivered."""

    twilio: Moody
    mails: Sequence[bytes]

    def texts(self) -> Counter[str]:
        """How often each was taken."""
        return Counter([one["Body"] for one in self.twilio.made]) + Counter(map(_said, self.mails))


def check_answers(rows: Sequence[Row], answers: Sequence[Answer], sent: Sent) -> Counter[MessageState]:
    """All of it; returns how the messages ended."""
    events: dict[UUID, list[Event]] = {}
    cases: dict[UUID, list[Event]] = {}
    for row in rows:
        if row.topic in {"outbound", "cases"}:
            (events if row.topic == "outbound" else cases).setdefault(row.subject, []).append(event_of(row))
    messages = {one: message_after(told) for one, told in events.items()}
    _check_once(answers, messages, events)
    taken = sent.texts()
    twice = sorted(text for text, times in taken.items() if times > 1)
    assert not twice, f"{len(twice)} messages were sent twice: {twice[:5]}"
    strange = taken.keys() - {one.text for one in answers}
    assert not strange, f"{len(strange)} messages were never asked for: {sorted(strange)[:5]}"
    for one in answers:
        message = messages[one.message_id]
        assert message is not None
        _check_end(one, message, sent.twilio, is_taken=bool(taken[one.text]))
        _check_waits_again(one, events[one.message_id], cases[one.conversation_id])
    _check_order(answers, [found["Body"] for found in sent.twilio.made])
    return Counter(message.state for message in messages.values() if message is not None)


def _said(mail: bytes) -> str:
    found = set(_ANSWER.findall(mail))
    assert len(found) == 1, f"a mail of ours says {found}"
    return found.pop().decode()


def _check_once(
    answers: Sequence[Answer], messages: Mapping[UUID, Message | None], events: Mapping[UUID, Sequence[Event]]
) -> None:
    """Each answer is one message, and nothing of a message is told twice."""
    asked = Counter(one.message_id for one in answers)
    assert set(asked) == set(messages), f"{set(asked) ^ set(messages)} are not both asked for and recorded"
    assert max(asked.values()) == 1, "two answers are one message"
    for message_id, told in events.items():
        facts = [event.fact for event in told]
        starts = [fact.attempt for fact in facts if isinstance(fact, MessageStarted)]
        assert starts == list(range(1, len(starts) + 1)), f"attempts of {message_id} are {starts}"
        ends = Counter((fact.type, fact.attempt) for fact in facts if isinstance(fact, _ENDS))
        assert max(ends.values(), default=1) == 1, f"an attempt of {message_id} ended twice: {ends}"
        reports = [fact.state for fact in facts if isinstance(fact, MessageReported)]
        assert len(reports) == len(set(reports)), f"{message_id} was reported {reports}"


def _check_end(answer: Answer, message: Message, twilio: Moody, *, is_taken: bool) -> None:
    """It is where the provider has it, or there is a reason that says why not."""
    state, why = message.state, message.why or (message.attempts[-1].why if message.attempts else None) or ""
    told = f"{answer.text} is {state} after {len(message.attempts)} attempt(s) ({why})"
    is_mail = (message.resolved is not None) and (message.resolved.channel or "").startswith("email/")
    if state in _TAKEN:
        # A mail that bounces is taken by the server, and handed to nobody.
        assert is_taken, f"lost: {told}, and nobody took it"
    elif state == "in_doubt":
        assert answer.text in twilio.unsure or why.startswith(_OURS_DIED), f"no reason for doubt: {told}"
    else:
        assert state == "failed", f"left over: {told}"
    if is_mail or not is_taken:
        return
    heard = twilio.told.get(answer.text, set())
    wanted = "delivered" if "delivered" in heard else "failed" if "failed" in heard else "sent"
    assert state in {wanted, "in_doubt"}, f"{told}, and the provider reported {heard or 'nothing'}"


def _check_waits_again(answer: Answer, told: Sequence[Event], conversation: Sequence[Event]) -> None:
    """What failed is no answer: its conversation says so once, and that its customer waits."""
    reopened = sum(
        isinstance(event.fact, ConversationReopened) and event.fact.message_id == answer.message_id
        for event in conversation
    )
    failed = sum(isinstance(event.fact, MessageFailed) for event in told)
    assert reopened == failed <= 1, f"{answer.text} failed {failed} times, and was told {reopened} times"


def _check_order(answers: Sequence[Answer], taken: Sequence[str]) -> None:
    places = {text: place for place, text in enumerate(taken)}
    before: dict[UUID, Answer] = {}
    for one in sorted(answers, key=lambda answer: answer.position):
        if one.text in places:
            last = before.get(one.conversation_id)
            assert last is None or places[last.text] < places[one.text], f"{one.text} went before {last}"
            before[one.conversation_id] = one
