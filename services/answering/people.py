"""What people may still do about a message that was asked for. Pure."""

from typing import Literal
from uuid import UUID

from schemas.outbound import MessageJudged, MessageWithdrawn
from services.answering.message import Message
from services.record.errors import Refused


def withdrawn(message: Message, agent_id: UUID | None) -> tuple[MessageWithdrawn, ...]:
    """Take it back; nothing when it is already. Raises `Refused` once its first byte may be out."""
    if message.state == "withdrawn":
        return ()
    if any(one.outcome != "refused" for one in message.attempts):
        raise Refused("It is too late to take this message back: it was sent, or is being sent.")
    if message.state == "failed":
        raise Refused("There is nothing to take back: this message failed before it was sent.")
    return (MessageWithdrawn(message_id=message.asked.message_id, agent_id=agent_id),)


def judged(message: Message, found: Literal["arrived", "not_sent"], agent_id: UUID | None) -> tuple[MessageJudged, ...]:
    """Settle a doubt; nothing when it was settled so. Raises `Refused` where nobody is in doubt."""
    if message.judged == found and message.state != "in_doubt":
        return ()
    if message.state != "in_doubt":
        raise Refused("There is no doubt about this message that somebody would have to settle.")
    return (MessageJudged(message_id=message.asked.message_id, judged=found, agent_id=agent_id),)
