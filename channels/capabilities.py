"""What each channel can do, as data, by the names of `channels.registry`."""

from typing import Final

from channels.contract import Capabilities

_MAIL: Final = Capabilities(
    text_limit=None,
    receipts=frozenset({"failed"}),
    attachments=True,
    starts_conversations=True,
    reaches=frozenset({"mailto"}),
    html=True,
)
CAPABILITIES: Final[dict[str, Capabilities]] = {
    # Twilio refuses a longer body with error 21617; media it fetches from a public URL, and files of ours have none.
    "sms/twilio": Capabilities(
        text_limit=1600,
        receipts=frozenset({"sent", "delivered", "read", "failed"}),
        attachments=False,
        starts_conversations=True,
        reaches=frozenset({"tel"}),
        encoding="gsm",
    ),
    # A call carries no text of ours but what is read out; delivered is that somebody answered.
    "voice/twilio": Capabilities(
        text_limit=0,
        receipts=frozenset({"sent", "delivered", "failed"}),
        attachments=False,
        starts_conversations=False,
        connects_calls=True,
        reaches=frozenset({"tel"}),
    ),
    "email/smtp": _MAIL,
    "email/imap": _MAIL,
    "chat/widget": Capabilities(
        text_limit=None,
        receipts=frozenset({"delivered", "read"}),
        attachments=False,
        starts_conversations=False,
        reaches=frozenset({"chat"}),
    ),
    "forms/web": Capabilities(text_limit=None, receipts=frozenset(), attachments=True, starts_conversations=False),
}
