"""What became of the demo's answers, counted twice: in the record, and by what the outside has of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Final

import psycopg

from services.demo.answer import Answered
from services.demo.outside import Mail, Outside
from services.demo.replies import Outcome, Reply
from services.settings import Settings

# What may have left twice: more ends of attempts than ways that were decided.
_RECORD: Final = """
    SELECT count(*), sum(handed_off), count(*) FILTER (WHERE arrived), sum(failed), count(*) FILTER (WHERE held),
        count(*) FILTER (WHERE fell_back), sum(doubts), count(*) FILTER (WHERE handed_off + doubts > ways)
    FROM (
        SELECT
            count(*) FILTER (WHERE type = 'message.handed_off') AS handed_off,
            count(*) FILTER (WHERE type = 'message.failed') AS failed,
            count(*) FILTER (WHERE type = 'message.in_doubt') AS doubts,
            count(*) FILTER (WHERE type = 'message.resolved') AS ways,
            bool_or(type = 'message.reported' AND said ->> 'state' IN ('delivered', 'read')) AS arrived,
            bool_or(type = 'message.resolved' AND said ->> 'round' = '2') AS fell_back,
            bool_or(said ->> 'hold_until' IS NOT NULL) AND NOT bool_or(type = 'message.started') AS held
        FROM (
            SELECT originator_id, type, convert_from(state, 'UTF8')::json AS said
            FROM record.decisions WHERE type LIKE 'message.%%') AS told
        GROUP BY originator_id) AS messages"""
_NAMES: Final = (
    *("asked", "handed off", "delivered", "failed", "held for quiet hours", "by fallback", "in doubt", "sent twice"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One number. None: it cannot be seen there."""

    name: str
    expected: int
    recorded: int | None
    outside: int | None

    @property
    def is_right(self) -> bool:
        """Whether both say what is expected."""
        return {self.recorded, self.outside} <= {None, self.expected}


def tally(settings: Settings, answered: Sequence[Answered], there: Outside, shown: Sequence[str]) -> list[Line]:
    """All numbers. `shown` are the lines that the visitor of the chat has seen."""
    with psycopg.connect(settings.record_url) as connection:
        row = connection.execute(_RECORD.encode()).fetchone() or (0,) * len(_NAMES)
    recorded = dict(zip(_NAMES, (int(number or 0) for number in row), strict=True))
    replies = [one.reply for one in answered]
    wanted, outside = _wanted(replies), seen_outside(replies, there, shown)
    outside["asked"] = sum(not one.problem for one in answered)
    lines = [Line(name, wanted[name], recorded[name], outside.get(name)) for name in _NAMES]
    waiting = sum(one.waits_again for one in answered)
    refused = sum(one.outcome == "no way" for one in answered)
    threads = sum(1 for reply in replies if reply.in_thread)
    return [
        *lines,
        Line("waiting for us again", _count(replies, "failed"), waiting, None),
        Line("forbidden by the customer", _count(replies, "no way"), refused, None),
        Line("mails in their thread", threads, None, _in_thread(replies, there.mailboxes.taken)),
    ]


def _count(replies: Sequence[Reply], *outcomes: Outcome) -> int:
    return sum(reply.outcome in outcomes for reply in replies)


def _wanted(replies: Sequence[Reply]) -> dict[str, int]:
    fallbacks = _count(replies, "by fallback")
    return {
        "asked": len(replies) - _count(replies, "no way"),
        "handed off": _count(replies, "delivered", "handed off") + 2 * fallbacks,
        "delivered": _count(replies, "delivered"),
        "failed": _count(replies, "failed"),
        "held for quiet hours": _count(replies, "held"),
        "by fallback": fallbacks,
        "in doubt": _count(replies, "in doubt"),
        "sent twice": 0,
    }


def seen_outside(replies: Sequence[Reply], there: Outside, shown: Sequence[str]) -> dict[str, int]:
    """What the stand-ins and the visitor have of it, by the names of the table."""
    twilio = there.twilio
    mails = [(one.recipient, _text(one)) for one in there.mailboxes.taken]
    everything = [*((one["To"], one["Body"]) for one in twilio.made), *mails, *(("", line) for line in shown)]
    seen = {reply: sum(reply.text in text for _, text in everything) for reply in replies}
    arrived = {reply for reply in replies for to, text in mails if (reply.to, reply.text in text) == (to, True)}
    return {
        "handed off": sum(one.is_answered for one in twilio.made) + len(mails) + len(shown),
        "delivered": len({sid for sid, state in twilio.reported if state == "delivered"}) + len(shown),
        "failed": len(twilio.refused),
        "held for quiet hours": sum(reply.outcome == "held" and not seen[reply] for reply in replies),
        "by fallback": sum(reply.outcome == "by fallback" and seen[reply] > 1 for reply in arrived),
        "in doubt": sum(not one.is_answered for one in twilio.made),
        "sent twice": sum(times > 1 + (reply.outcome == "by fallback") for reply, times in seen.items()),
    }


def _in_thread(replies: Sequence[Reply], taken: Sequence[Mail]) -> int:
    found = [(one.recipient, str(message_from_bytes(one.content)["In-Reply-To"])) for one in taken]
    return sum((reply.to, reply.in_thread) in found for reply in replies if reply.in_thread)


def _text(mail: Mail) -> str:
    body = message_from_bytes(mail.content, policy=policy.default).get_body(("plain",))
    return "" if body is None else str(body.get_content())
