"""Facts of calls for read models, by hand and as Twilio's requests make them."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from channels.contract import InboundRequest
from channels.voice.twilio import TwilioVoice
from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded, Party, Recording
from schemas.event import Event
from schemas.fact import Assurance
from schemas.interaction import Content, Direction, InteractionReceived
from services.record.facts import event_id_of
from tests.projections.conversations import answered, joined, opened
from tests.projections.outgoing import asked, handed_off, in_doubt, judged, receipts_as, reported, resolved, started
from tests.projections.story import event, interaction_id, receipt, story, withdrawal

CallFact = CallProgressed | CallAnswered | CallEnded | CallMissed | CallRecorded


def begun(position: int, number: int, *, address: int = 1, direction: Direction = "in", revision: int = 1) -> Event:
    fact = InteractionReceived(
        interaction_id=interaction_id(number),
        kind="call",
        direction=direction,
        channel="voice/twilio",
        assurance="claimed",
        personal=Content(address=f"tel:+9891200000{address:02}"),
    )
    return event(position, fact, event_id=UUID(int=0xE000 + number), revision=revision, address=address)


def on_leg(
    position: int,
    number: int,
    state: str,
    *,
    leg: int = 0,
    key: int | None = None,
    seconds: int | None = None,
    direction: Direction = "in",
    assurance: Assurance = "none",
    address: int = 1,
    revision: int = 1,
) -> Event:
    """Leg 0 is the one that the call began with."""
    common = {
        "interaction_id": interaction_id(number),
        "leg_id": UUID(int=0x1E60 + leg),
        "first_leg": leg == 0,
        "channel": "voice/twilio",
        "direction": direction,
        "reported": state,
        "assurance": assurance,
        "personal": Party(address=f"tel:+9891200000{address:02}"),
    }
    fact: CallFact
    if state in ("queued", "ringing"):
        fact = CallProgressed.model_validate({**common, "state": state})
    elif state == "in_progress":
        fact = CallAnswered.model_validate(common)
    else:
        fact = CallEnded.model_validate({**common, "outcome": state, "duration_seconds": seconds})
    made = UUID(int=0xCA00_0000 + (position if key is None else 0x1000 + key))
    return event(position, fact, event_id=made, revision=revision, address=address)


def missed(position: int, number: int) -> Event:
    fact = CallMissed(
        interaction_id=interaction_id(number),
        channel="voice/twilio",
        outcome="no_answer",
        reported="no-answer",
        personal=Party(address="tel:+989120000001"),
    )
    return event(position, fact, event_id=UUID(int=0xCB00 + number))


def recorded(position: int, number: int, *, url: str | None = "https://x.example/RE", address: int = 1) -> Event:
    fact = CallRecorded(
        interaction_id=interaction_id(number),
        leg_id=UUID(int=0x1E60),
        channel="voice/twilio",
        attachment_id=UUID(int=0xF000 + number),
        media_type="audio/wav",
        personal=Recording(address=f"tel:+9891200000{address:02}", url=url),
    )
    return event(position, fact, event_id=UUID(int=0xCC00_0000 + position), address=address)


def events_of(channel: TwilioVoice, requests: Sequence[InboundRequest]) -> list[Event]:
    """What the record holds after these requests: each fact once, at positions in the order in which they came."""
    made: dict[UUID, Event] = {}
    for request in requests:
        for heard in channel.parse(request):
            event_id = event_id_of(request.origin, heard)
            address = 1 if heard.address.startswith("tel:") else 2
            at = heard.occurred_at or request.received_at
            one = event(len(made) + 1, heard.fact, event_id=event_id, address=address, occurred_at=at)
            made.setdefault(event_id, replace(one, recorded_at=max(at, one.recorded_at)))
    return list(made.values())


def whole_story() -> list[Event]:
    """Some of everything, calls too."""
    first = on_leg(23, 11, "no_answer", leg=1)
    return [
        *story(),
        begun(20, 10),
        on_leg(21, 10, "completed", seconds=9),
        recorded(22, 10),
        first,
        on_leg(24, 11, "completed", address=2),
        missed(25, 12),
        begun(26, 12),
        on_leg(27, 13, "busy", direction="out", address=3),
        withdrawal(28, first),
        opened(30, 1, 1),
        joined(31, 1, 2, number=2),
        opened(32, 2, 10, brought="missed_call"),
        answered(33, 1),
        joined(34, 1, 3, number=3),
        opened(35, 3, 7, tenant="other"),
        asked(40, 1),
        resolved(41, 1),
        started(42, 1),
        handed_off(43, 1),
        receipt(44, receipts_as(1).int - 0x1000, "delivered", key=51),
        reported(45, 1, "delivered"),
        asked(46, 2, address=2, of=2),
        resolved(47, 2),
        started(48, 2),
        in_doubt(49, 2),
        judged(50, 2, arrived=False),
        asked(51, 3, tenant="other", of=None),
    ]
