"""From rows of the record to what they are to messages on their way."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeAlias, cast
from uuid import UUID

from schemas.conversation import ConversationJoined
from schemas.event import Undecodable
from schemas.interaction import InteractionReceived, ReceiptReported
from schemas.outbound import OutboundFact
from services.dispatch.known import Receipt
from services.dispatch.table import Wanted
from services.dispatch.turn import Turn
from services.record.reader import Row, event_of

TOPICS: Final = ("outbound", "interactions", "cases")
_HEARD: Final = frozenset({"receipt.reported", "interaction.received", "conversation.joined"})
_SPOKE: Final = ("message", "missed_call", "taken_call")


@dataclass(frozen=True, slots=True)
class Told:
    """A fact about a message of ours. Mostly it was noted when it was decided here, and need not be read."""

    row: Row


@dataclass(frozen=True, slots=True)
class Reported:
    """A receipt, and the event that it is."""

    receipt: Receipt
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Wrote:
    """A person wrote or called: from this address, or in this conversation."""

    address_id: UUID | None
    conversation_id: UUID | None


Heard: TypeAlias = Told | Reported | Wrote


def heard(row: Row) -> Heard | None:
    """What the row says; None for what is nothing to dispatch.

    Raises:
        Undecodable: no fact that this version knows.
    """
    if row.topic == "outbound":
        return Told(row)
    fact = event_of(row).fact if row.type in _HEARD else None
    match fact:
        case ReceiptReported():
            inbox_id = row.inbox_id or UUID(int=0)
            of, at = fact.interaction_id, row.recorded_at
            return Reported(Receipt(of, fact.state, fact.error_code, row.subject, inbox_id, at), row.event_id)
        case InteractionReceived(direction="in", automatic="human"):
            return Wrote(row.subject, None)
        case ConversationJoined() if fact.brought in _SPOKE:
            return Wrote(None, fact.conversation_id)
        case _:
            return None


def wanted_for(items: Sequence[Heard]) -> Wanted:
    """What has to be loaded to take these in."""
    wanted = Wanted()
    for item in items:
        match item:
            case Told():
                wanted.messages.add(item.row.subject)
            case Reported():
                wanted.receipts.add(item.receipt.receipts_as)
            case Wrote():
                _add(wanted.people, item.address_id)
                _add(wanted.conversations, item.conversation_id)
    return wanted


def take_in(turn: Turn, items: Sequence[Heard]) -> list[tuple[Row, str]]:
    """In the order of the record. Returns facts that this version does not know: their messages are let go."""
    aside: list[tuple[Row, str]] = []
    for kind, group in groupby(items, key=type):
        if kind is Wrote:
            words = [item for item in group if isinstance(item, Wrote)]
            people = {one.address_id for one in words if one.address_id is not None}
            turn.wrote(people, {one.conversation_id for one in words if one.conversation_id is not None})
            continue
        for item in group:
            if isinstance(item, Reported):
                turn.receipt(item.receipt, item.event_id)
            elif isinstance(item, Told) and turn.expects(item.row.subject, item.row.event_id):
                try:
                    fact = cast("OutboundFact", event_of(item.row).fact)
                except Undecodable as error:
                    # Of a message that we cannot follow nothing more is decided until we can.
                    turn.known.end(item.row.subject)
                    aside.append((item.row, f"no fact that this version knows: {error}"))
                else:
                    turn.hear(item.row.tenant, item.row.position, fact, item.row.recorded_at)
    return aside


def _add(found: set[UUID], one: UUID | None) -> None:
    if one is not None:
        found.add(one)
