"""A resolution as the fact of it: codes in the clear part; sentences and addresses in the personal one."""

from uuid import UUID

from schemas.outbound import Explained, MessageResolved, RejectedWay, RejectedWhy
from services.resolving.outcome import Resolution, Unreachable


def resolved(message_id: UUID, found: Resolution) -> MessageResolved:
    """What is recorded. Its personal part is for the key of the address that asked."""
    rejected = tuple(RejectedWay(channel=one.channel, inbox_id=one.inbox_id, code=one.code) for one in found.rejected)
    reasons = tuple(RejectedWhy(address=one.address, why=one.why) for one in found.rejected)
    if isinstance(found, Unreachable):
        told = Explained(why=found.why, rejected=reasons)
        return MessageResolved(message_id=message_id, rejected=rejected, personal=told)
    told = Explained(address=found.address, why=found.why, hold_why=found.hold_why, rejected=reasons)
    return MessageResolved(
        message_id=message_id,
        channel=found.channel,
        inbox_id=found.inbox_id,
        code=found.code,
        form=found.rendering.form,
        encoding=found.rendering.encoding,
        segments=found.rendering.segments,
        language=found.language,
        hold_until=found.hold_until,
        rejected=rejected,
        personal=told,
    )
