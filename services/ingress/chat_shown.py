"""A line of a chat as its frame."""

from collections.abc import Sequence
from typing import Any

from schemas.event import Undecodable
from schemas.interaction import InteractionReceived
from services.ingress.chat_answers import answer_of
from services.ingress.chat_lines import Line
from services.record.reader import Row, event_of


def shown(line: Line, rows: Sequence[Row]) -> dict[str, Any]:
    """What the record still has of it. A line without a text, or of a newer version's, keeps its number."""
    frame: dict[str, Any] = {
        "t": "message",
        "number": line.number,
        "from": "agent" if line.ours else "visitor",
        "text": "",
    }
    try:
        return frame | (_said(rows) if line.ours else _heard(rows))
    except Undecodable:
        return frame


def _said(rows: Sequence[Row]) -> dict[str, Any]:
    answer = answer_of(rows)
    return {} if answer is None else {"text": answer.text, "occurred_at": answer.occurred_at}


def _heard(rows: Sequence[Row]) -> dict[str, Any]:
    """With the id that it was given, by which another tab knows it."""
    if not rows:
        return {}
    frame: dict[str, Any] = {"occurred_at": rows[0].occurred_at}
    fact = event_of(rows[0]).fact
    if isinstance(fact, InteractionReceived) and fact.personal is not None:
        frame |= {"text": fact.personal.text, "id": fact.personal.message_id}
    return frame
