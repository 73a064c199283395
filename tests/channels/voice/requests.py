"""Requests about calls as Twilio makes them."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlencode

from channels.contract import InboundRequest, Origin
from channels.signing import sign_twilio
from channels.voice.twilio import TwilioVoice, TwilioVoiceConfig

TOKEN = "0123456789abcdef0123456789abcdef"
URL = "https://hub.example.com/hooks/voice/twilio/k3y"
ORIGIN = Origin("acme", "twilio:+982191000000")
SID, DESK, OTHER = "CA00000000000000000000000000000001", "CA0000000000000000000000000000000d", "CA0e"
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
OURS, CALLER = "+982191000000", "+989121234567"
SETTINGS = {"auth_token": TOKEN, "address": OURS, "answer": "dial:sip:desk@pbx.example"}

ANSWER = {
    "AccountSid": "AC0123456789abcdef0123456789abcdef",
    "ApiVersion": "2010-04-01",
    "CallSid": SID,
    "CallStatus": "ringing",
    "CallToken": "%7B%22parentCallInfoToken%22%3A%22x%22%7D",
    "Called": OURS,
    "Caller": CALLER,
    "CallerCity": "TEHRAN",
    "Direction": "inbound",
    "From": CALLER,
    "FromCity": "TEHRAN",
    "FromCountry": "IR",
    "StirVerstat": "TN-Validation-Passed-A",
    "To": OURS,
}
_CALL = {name: value for name, value in ANSWER.items() if name not in ("CallStatus", "CallToken", "StirVerstat")}


def voice(**settings: str) -> TwilioVoice:
    return TwilioVoice.of(TwilioVoiceConfig.model_validate({**SETTINGS, **settings}))


CHANNEL = voice()


def form(
    params: dict[str, str], *, purpose: str | None = None, url: str = URL, token: str = TOKEN, after: int = 0
) -> InboundRequest:
    """A signed form post, so many seconds after the call began."""
    called = url if purpose is None else f"{url}/{purpose}"
    headers = (
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-twilio-signature", sign_twilio(token, called, params.items())),
    )
    at = AT + timedelta(seconds=after)
    return InboundRequest("POST", called, headers, urlencode(params).encode(), at, ORIGIN, purpose)


def report(status: str, sequence: int, after: int, **more: str) -> InboundRequest:
    """A status callback about the caller's own leg."""
    told = {"CallStatus": status, "SequenceNumber": str(sequence), "CallbackSource": "call-progress-events"}
    stamp = format_datetime(AT + timedelta(seconds=after))
    return form({**_CALL, **told, "Timestamp": stamp, **more}, purpose="status", after=after + 1)


def leg(status: str, sequence: int, after: int, sid: str = DESK, **more: str) -> InboundRequest:
    """A status callback about a leg that was connected to the caller."""
    whose = {"CallSid": sid, "ParentCallSid": SID, "Direction": "outbound-dial", "To": "sip:desk@pbx.example"}
    return report(status, sequence, after, **{**whose, **more})


def dialled(status: str, after: int, **more: str) -> InboundRequest:
    """The action of `<Dial>`: what became of it."""
    told = {"CallStatus": "in-progress", "DialCallStatus": status, "DialCallSid": DESK}
    return form({**_CALL, **told, **more}, purpose="status", after=after)


def recorded(**more: str) -> InboundRequest:
    told = {"CallSid": SID, "RecordingSid": "RE1", "RecordingStatus": "completed", "RecordingDuration": "20"}
    url = {"RecordingUrl": "https://api.twilio.com/r/RE1"}
    return form({"AccountSid": "AC1", **told, **url, **more}, purpose="status", after=90)


def taken_call() -> list[InboundRequest]:
    """It rings at the desk, is taken, and is over after a while."""
    return [
        form(ANSWER),
        leg("initiated", 0, 1),
        leg("ringing", 1, 2),
        leg("in-progress", 2, 8),
        report("in-progress", 0, 8),
        leg("completed", 3, 60, CallDuration="52"),
        dialled(
            "completed", 60, DialCallDuration="52", RecordingSid="RE1", RecordingUrl="https://api.twilio.com/r/RE1"
        ),
        report("completed", 1, 61, CallDuration="53"),
        recorded(),
    ]


def missed_call() -> list[InboundRequest]:
    """It rings at two places, and nobody takes it."""
    return [
        form(ANSWER),
        leg("initiated", 0, 1),
        leg("ringing", 1, 2),
        leg("ringing", 1, 3, OTHER),
        leg("canceled", 2, 30, OTHER),
        leg("no-answer", 2, 31, CallDuration="0"),
        dialled("no-answer", 31),
        report("completed", 0, 32, CallDuration="31"),
    ]
