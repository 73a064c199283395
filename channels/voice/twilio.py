"""Twilio Programmable Voice: what happens to a caller, and what became of a call.

Give Twilio the inbox's URL as the number's voice URL, and the same with `/status` as its status callback. Twilio asks
the voice URL once, and goes to the number's fallback URL when that fails; a status callback that fails is lost.
Sources: https://www.twilio.com/docs/voice/twiml, https://www.twilio.com/docs/usage/webhooks/voice-webhooks
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator
from pydantic_core import PydanticCustomError

from channels.contract import AckPolicy, Answer, Heard, InboundRequest
from channels.errors import Malformed
from channels.phone import e164
from channels.twilio_account import TwilioAccount
from channels.twilio_request import Params, check_signature, read_params
from channels.voice.answer import CHOICES, Choice, Dial, Observe, Redirect, Say, read_choice
from channels.voice.twilio_call import call_of
from channels.voice.twilio_facts import facts, is_over
from channels.voice.twiml import NOTHING, Manner, instructions

_XML: Final = "text/xml; charset=utf-8"
_HEARD: Final = Answer(200, NOTHING.encode(), _XML)
_FORGED: Final = Answer(403, b"The signature does not match this URL and body.\n")
_AWAY: Final = Answer(503, b"Nothing can be stored at the moment.\n", headers=(("retry-after", "5"),))
_ACKS: Final = AckPolicy(accepted=_HEARD, bad_signature=_FORGED, malformed=_HEARD, away=_AWAY, retries=False)

# Empty instructions would hang up. After an error Twilio asks the number's fallback URL instead.
_NOT_OURS_TO_ANSWER: Final = Answer(501, b"This inbox observes: the voice URL is that of the system that answers.\n")
_UNASKED: Final = replace(_ACKS, accepted=_NOT_OURS_TO_ANSWER, malformed=_NOT_OURS_TO_ANSWER, away=_NOT_OURS_TO_ANSWER)

# Both were seen to be put in after the signature was made. A replay with another value of theirs makes the same ids.
_ADDED_LATER: Final = frozenset({"CallToken", "StirVerstat"})
# What stands only in reports, to which nobody listens, and in the action of <Dial>, after which there is nothing to do.
_REPORTS: Final = ("CallbackSource", "SequenceNumber", "DialCallStatus", "RecordingStatus")
_KEY_PARTS: Final = 5
_INBOXES_IN_HAND: Final = 64


class TwilioVoiceConfig(TwilioAccount):
    """A number for calls. `answer` states what happens to a caller, see `channels.voice.answer`.

    `region` (ISO 3166) tells how callers without a country code are read. `timeout_seconds` is how long a dialled line
    rings, `caller_id` the number of ours that it is shown (the caller's own if not given); `language` and `voice` are
    Twilio's names, for `say`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    address: str = ""
    region: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = "IR"
    answer: str = ""
    timeout_seconds: Annotated[int, Field(ge=5, le=600)] = 30
    caller_id: str | None = None
    language: Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")] | None = None
    voice: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,80}$")] | None = None

    @field_validator("answer")
    @classmethod
    def _says_what_happens(cls, written: str) -> str:
        if not written.strip():
            raise PydanticCustomError("missing", "say with --set answer=… what happens to a caller: " + CHOICES)
        read_choice(written)
        return written

    @field_validator("caller_id")
    @classmethod
    def _is_a_number(cls, written: str | None) -> str | None:
        if written is None:
            return None
        found = e164(written, None)
        if found is None:
            raise ValueError("it is a number with its country code, such as +982112345678")
        return found


@dataclass(frozen=True, slots=True)
class TwilioVoice:
    """One of our numbers at Twilio, for calls."""

    config: TwilioVoiceConfig
    choice: Choice
    ours: frozenset[str]

    @classmethod
    def of(cls, config: TwilioVoiceConfig) -> Self:
        """The channel with these settings."""
        numbers = (config.address, config.caller_id)
        return cls(config, read_choice(config.answer), frozenset(f"tel:{number}" for number in numbers if number))

    @property
    def acks(self) -> AckPolicy:
        """For reports: nobody listens to the answer, and Twilio does not send one again that was not stored."""
        return _ACKS

    def answers(self, request: InboundRequest) -> AckPolicy:
        """For a request that asks what to do with a caller: the same whatever became of it, so that no call is lost.

        Also when not even the spool can take it: the reports that follow show the call.
        """
        if not _asks(request):
            return _ACKS
        return _connecting(self.choice, self.manner(), _status_url(request.url))

    def verify(self, request: InboundRequest) -> None:
        """Check `X-Twilio-Signature` over the public URL and the form, or over the URL with the body's SHA-256."""
        check_signature(request, self.config.signers(), _ADDED_LATER)

    def parse(self, request: InboundRequest) -> list[Heard]:
        """The call, the state of a leg, whether it was missed, its recording."""
        params = read_params(request)
        call = call_of(request, params, self.config.region, self.ours)
        return list(facts(call, params, self.config.region))

    def explained(self) -> str:
        """What a caller meets, in a sentence for whoever runs the inbox."""
        match self.choice:
            case Dial():
                met = f"a caller is connected to {self.choice.target}, which rings {self.config.timeout_seconds} s"
            case Redirect():
                met = "a caller is handed to the system at the URL given as redirect"
            case Say():
                met = "a caller hears a text, then the call ends"
            case Observe():
                return (
                    "another system answers; give Twilio only the URL with /status, as the number's status callback: "
                    "asked what to do with a caller, this inbox answers 501, and Twilio goes to the fallback URL"
                )
        return f"{met}; give Twilio the URL as voice URL and, with /status, as the number's status callback"

    def manner(self) -> Manner:
        """How calls are connected and texts are read out here."""
        config = self.config
        return Manner(config.timeout_seconds, config.caller_id, config.language, config.voice)


def _asks(request: InboundRequest) -> bool:
    try:
        params: Params = read_params(request)
    except Malformed:
        return request.purpose != "status"
    return not is_over(params) and not any(name in params for name in _REPORTS)


# Few inboxes are called at one time, and what each is told does not change. No caller's data are in it.
@lru_cache(maxsize=_INBOXES_IN_HAND)
def _connecting(choice: Choice, manner: Manner, status_url: str) -> AckPolicy:
    told = instructions(choice, manner, status_url)
    if told is None:
        return _UNASKED
    connecting = Answer(200, told.encode(), _XML)
    return replace(_ACKS, accepted=connecting, malformed=connecting, away=connecting)


def _status_url(called: str) -> str:
    parts = urlsplit(called)
    path = "/".join(parts.path.split("/")[:_KEY_PARTS])
    return f"{parts.scheme}://{parts.netloc}{path}/status"
