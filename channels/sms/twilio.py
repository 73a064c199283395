"""Twilio Programmable Messaging: SMS, MMS and WhatsApp in, and what became of messages out.

Sources: https://www.twilio.com/docs/messaging/guides/webhook-request, https://www.twilio.com/docs/usage/security
"""

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from channels.contract import AckPolicy, Answer, Heard, InboundRequest
from channels.errors import BadSignature
from channels.signing import twilio_digest
from channels.sms.twilio_facts import is_status, message, status
from channels.sms.twilio_request import read_params, signed_params, spellings

_EMPTY_REPLY: Final = Answer(200, b"<Response/>", "text/xml; charset=utf-8")

# Twilio repeats only what it could not connect for, and shows any 4xx to its customer as a fault of theirs. A body
# that is kept and parked was taken, so it gets the same answer as one that was read.
_ACKS: Final = AckPolicy(
    accepted=_EMPTY_REPLY,
    bad_signature=Answer(403, b"The signature does not match this URL and body.\n"),
    malformed=_EMPTY_REPLY,
    away=Answer(503, b"Nothing can be stored at the moment.\n", headers=(("retry-after", "5"),)),
)


class TwilioConfig(BaseModel):
    """An account's number. `region` (ISO 3166) tells how senders without a country code are read.

    While the auth token is being changed, `auth_token_previous` still passes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    auth_token: Annotated[SecretStr, Field(min_length=1)]
    auth_token_previous: Annotated[SecretStr, Field(min_length=1)] | None = None
    address: str = ""
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "IR"


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
        header = request.header("x-twilio-signature")
        if header is None:
            raise BadSignature("There is no X-Twilio-Signature header.")
        given = header.encode("utf-8", "replace")
        params = signed_params(request)
        for url in spellings(request.url):
            for token in self._tokens():
                if hmac.compare_digest(twilio_digest(token, url, params), given):
                    return
        raise BadSignature("X-Twilio-Signature fits neither the public URL with this body nor any auth token.")

    def parse(self, request: InboundRequest) -> list[Heard]:
        """A message with its consent, or a receipt; nothing for a status that we have no word for."""
        params = read_params(request)
        if is_status(params, request.purpose):
            return status(request, params, self.config.region)
        return message(request, params, self.config.region)

    def _tokens(self) -> Iterator[bytes]:
        yield self.config.auth_token.get_secret_value().encode()
        if self.config.auth_token_previous is not None:
            yield self.config.auth_token_previous.get_secret_value().encode()
