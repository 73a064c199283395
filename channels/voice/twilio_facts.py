"""Twilio's parameters about calls in our words. Unknown words make no fact of a leg.

When a connected leg is over, a request about the caller's own leg (the `action` of `<Dial>`) also tells of that other
one, `DialCallSid`. Sources: https://www.twilio.com/docs/voice/twiml/dial#attributes-action,
https://www.twilio.com/docs/voice/api/call-resource#statuscallback
"""

from collections.abc import Iterator
from typing import Any, Final, Literal

from channels.contract import Heard, Said
from channels.twilio_request import Params
from channels.voice.caller import caller_address
from channels.voice.twilio_call import Call, number
from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded, Outcome, Party, Recording
from schemas.interaction import Content, DeliveryState, InteractionReceived, ReceiptReported, Recipient

CHANNEL: Final = "voice/twilio"

_WAITS: Final[dict[str, Literal["queued", "ringing"]]] = {
    "queued": "queued",
    "initiated": "queued",
    "ringing": "ringing",
}
_ANSWERED: Final = "in-progress"
_OUTCOMES: Final[dict[str, Outcome]] = {
    "completed": "completed",
    "answered": "completed",  # only of a dialled leg: it was, and is over
    "busy": "busy",
    "no-answer": "no_answer",
    "canceled": "canceled",
    "failed": "failed",
}
# What a call of ours was for is done once somebody answers. Sources as above.
_REACHED: Final[dict[str, DeliveryState]] = {
    "ringing": "sent",
    "in-progress": "delivered",
    "completed": "delivered",
    "busy": "failed",
    "no-answer": "failed",
    "canceled": "failed",
    "failed": "failed",
}
_CODES: Final = {"SipResponseCode": "sip", "ErrorCode": "error", "AnsweredBy": "answered_by"}
_FIELDS: Final = ("ForwardedFrom", "SipCallId")
# Without an extension the URL of a recording gives this.
_RECORDED_AS: Final = "audio/wav"


def is_over(params: Params) -> bool:
    """Whether the leg of this request is over."""
    return params.get("CallStatus") in _OUTCOMES


def facts(call: Call, params: Params, region: str) -> Iterator[Heard]:
    """All that one request says."""
    names_caller = "From" in params or "To" in params
    if call.is_first_leg and names_caller:
        yield _begun(call, params, region)
    dialled = params.get("DialCallStatus")
    if dialled is None:
        yield from _leg(call, params)
        outcome = _OUTCOMES.get(params.get("CallStatus", ""))
    else:
        yield from _dialled_leg(call, params, dialled)
        outcome = _OUTCOMES.get(dialled)
    if call.is_first_leg and call.direction == "in" and outcome not in (None, "completed"):
        yield _missed(call, outcome, dialled or params["CallStatus"])
    if names_caller and call.is_first_leg and call.direction == "out" and dialled is None:
        yield from _reached(call, params)
    yield from _recorded(call, params, names_caller=names_caller)


def _begun(call: Call, params: Params, region: str) -> Heard:
    """Made by whichever request comes first, and only of what all requests about the leg have in common."""
    came_in = call.direction == "in"
    country = params.get("FromCountry" if came_in else "ToCountry")
    fact = InteractionReceived(
        interaction_id=call.interaction_id,
        kind="call",
        direction=call.direction,
        channel=CHANNEL,
        assurance=call.assurance,
        evidence=call.evidence,
        provider_codes={"country": country} if country else {},
        personal=Content(
            address=call.address,
            recipient=caller_address(params.get("To" if came_in else "From", ""), region),
            name=params.get("CallerName") or None,
            fields={name: params[name] for name in _FIELDS if params.get(name)},
        ),
    )
    return _heard(call, call.sid, fact)


def _leg(call: Call, params: Params) -> Iterator[Heard]:
    reported, sequence = params.get("CallStatus", ""), number(params.get("SequenceNumber"))
    codes = {ours: params[name] for name, ours in _CODES.items() if params.get(name)}
    said: dict[str, Any] = {**_of_leg(call, call.leg_sid, reported), "sequence": sequence, "provider_codes": codes}
    fact: Said
    if reported in _OUTCOMES:
        seconds = number(params.get("CallDuration"))
        fact = CallEnded(outcome=_OUTCOMES[reported], duration_seconds=seconds, **said)
    elif reported in _WAITS:
        fact = CallProgressed(state=_WAITS[reported], **said)
    elif reported == _ANSWERED:
        fact = CallAnswered(**said)
    else:
        return
    yield _heard(call, f"{call.leg_sid}/{reported}" + ("" if sequence is None else f"/{sequence}"), fact)


def _dialled_leg(call: Call, params: Params, reported: str) -> Iterator[Heard]:
    sid = params.get("DialCallSid")
    if sid and reported in _OUTCOMES:
        seconds = number(params.get("DialCallDuration"))
        said = _of_leg(call, sid, reported)
        fact = CallEnded(outcome=_OUTCOMES[reported], duration_seconds=seconds, **said)
        yield _heard(call, f"{sid}/dial/{reported}", fact)


def _of_leg(call: Call, sid: str, reported: str) -> dict[str, Any]:
    """What every fact about a leg says."""
    return {
        "interaction_id": call.interaction_id,
        "leg_id": call.leg_id(sid),
        "first_leg": sid == call.sid,
        "channel": CHANNEL,
        "direction": call.direction,
        "reported": reported,
        "assurance": call.assurance,
        "evidence": call.evidence,
        "personal": Party(address=call.address),
    }


def _missed(call: Call, outcome: Outcome | None, reported: str) -> Heard:
    fact = CallMissed(
        interaction_id=call.interaction_id,
        channel=CHANNEL,
        outcome=outcome or "failed",
        reported=reported,
        personal=Party(address=call.address),
    )
    # One call is missed once, however many requests say so.
    return _heard(call, call.sid, fact)


def _reached(call: Call, params: Params) -> Iterator[Heard]:
    """Whether the customer answered, as receipts of messages say it."""
    reported = params.get("CallStatus", "")
    state = _REACHED.get(reported)
    if state is None:
        return
    fact = ReceiptReported(
        interaction_id=call.interaction_id,
        channel=CHANNEL,
        state=state,
        reported=reported,
        error_code=reported if state == "failed" else None,
        personal=Recipient(address=call.address),
    )
    yield _heard(call, f"{call.leg_sid}/{reported}", fact)


def _recorded(call: Call, params: Params, *, names_caller: bool) -> Iterator[Heard]:
    sid, word = params.get("RecordingSid"), params.get("RecordingStatus", "completed")
    if not sid or word != "completed":
        return
    recording_id = call.origin.derive(sid, "attachment")
    # A request that names no caller is kept under no address of theirs: a link in it would outlive their erasure.
    url = params.get("RecordingUrl") if names_caller else None
    fact = CallRecorded(
        interaction_id=call.interaction_id,
        leg_id=call.leg_id(call.leg_sid),
        channel=CHANNEL,
        attachment_id=recording_id,
        media_type=_RECORDED_AS,
        duration_seconds=number(params.get("RecordingDuration")),
        personal=Recording(address=call.address, url=url or None),
    )
    # Several requests tell of one recording, and not all of them the same.
    told_by = next((name for name in ("RecordingStatus", "DialCallStatus") if name in params), "CallStatus")
    yield _heard(call, f"{sid}/{told_by}/{call.leg_sid}", fact)


def _heard(call: Call, source_key: str, fact: Said) -> Heard:
    return Heard(source_key, call.address, fact, call.occurred_at)
