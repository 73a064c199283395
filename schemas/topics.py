"""Which topic carries which fact. Names without the installation's prefix."""

from typing import Final, Literal, get_args

Topic = Literal["interactions", "activities", "customers", "cases", "agents", "outbound", "settings", "parked"]

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)

TOPIC_OF: Final[dict[str, Topic]] = {
    "interaction.received": "interactions",
    "receipt.reported": "interactions",
    "call.progressed": "interactions",
    "call.answered": "interactions",
    "call.ended": "interactions",
    "call.missed": "interactions",
    "call.recorded": "interactions",
    "fact.withdrawn": "interactions",
    "preference.stated": "customers",
    "preference.filed": "customers",
    "consent.stated": "customers",
    "address.erased": "customers",
    "conversation.opened": "cases",
    "conversation.joined": "cases",
    "conversation.answered": "cases",
    "conversation.closed": "cases",
    "conversation.reopened": "cases",
    "conversation.taken": "cases",
    "conversation.released": "cases",
    "message.asked": "outbound",
    "message.resolved": "outbound",
    "message.started": "outbound",
    "message.handed_off": "outbound",
    "message.refused": "outbound",
    "message.in_doubt": "outbound",
    "message.reported": "outbound",
    "message.judged": "outbound",
    "message.withdrawn": "outbound",
    "message.failed": "outbound",
    "tenant.registered": "settings",
    "inbox.added": "settings",
    "inbox.changed": "settings",
    "inbox.key_rotated": "settings",
    "inbox.disabled": "settings",
    "request.parked": "parked",
    "mailbox.gap_seen": "parked",
}
