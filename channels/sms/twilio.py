"""Twilio Programmable Messaging: SMS, MMS and WhatsApp in, and what became of messages out.

Sources: https://www.twilio.com/docs/messaging/guides/webhook-request, https://www.twilio.com/docs/usage/security
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from channels.contract import AckPolicy, Answer, Heard, InboundRequest
from channels.sms.twilio_facts import is_status, message, status
from channels.twilio_account import TwilioAccount
from channels.twilio_request import check_signature, read_params

_EMPTY_REPLY: Final = Answer(200, b"<Response/>", "text/xml; charset=utf-8")

# Twilio repeats only what it could not connect for, and shows any 4xx to its customer as a fault of theirs. A body
# that is kept and parked was taken, so it gets the same answer as one that was read.
_ACKS: Final = AckPolicy(
    accepted=_EMPTY_REPLY,
    bad_signature=Answer(403, b"The signature does not match this URL and body.\n"),
    malformed=_EMPTY_REPLY,
    away=Answer(503, b"Nothing can be stored at the moment.\n", headers=(("retry-after", "5"),)),
    retries=False,
)


class TwilioConfig(TwilioAccount):
    """An account's number. `region` (ISO 3166) tells how senders without a country code are read.

    With `messaging_service` Twilio chooses the number that a message is sent from.
    """

    address: str = ""
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "IR"
    messaging_service: Annotated[str, Field(pattern=r"^MG[0-9a-fA-F]{32}$")] | None = None


@dataclass(frozen=True, slots=True)
class Twilio:
    """One of our numbers at Twilio."""

    config: TwilioConfig

    @property
    def acks(self) -> AckPolicy:
        """Empty TwiML for whatever was kept."""
        return _ACKS

    def verify(self, request: InboundRequest) -> None:
        """Check `X-Twilio-Signature` over the public URL and the form, or over the URL with the body's SHA-256."""
        check_signature(request, self.config.signers())

    def parse(self, request: InboundRequest) -> list[Heard]:
        """A message with its consent, or a receipt; nothing for a status that we have no word for."""
        params = read_params(request)
        if is_status(params, request.purpose):
            return status(request, params, self.config.region)
        return message(request, params, self.config.region)
