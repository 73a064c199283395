from dataclasses import replace
from datetime import timedelta

import pytest

from channels.contract import Heard, InboundRequest
from channels.errors import Malformed
from schemas.call import CallAnswered, CallEnded, CallMissed, CallProgressed, CallRecorded, Party, Recording
from schemas.interaction import Content, InteractionReceived, ReceiptReported
from tests.channels.voice.requests import (
    ANSWER,
    AT,
    CALLER,
    CHANNEL,
    DESK,
    ORIGIN,
    OURS,
    SID,
    dialled,
    form,
    leg,
    missed_call,
    recorded,
    report,
    taken_call,
    voice,
)

CALL = ORIGIN.derive(SID, "interaction")
ADDRESS = "tel:+989121234567"


def heard(request: InboundRequest) -> list[Heard]:
    return CHANNEL.parse(request)


def kinds(request: InboundRequest) -> list[str]:
    return [one.fact.type for one in heard(request)]


def test_an_incoming_call() -> None:
    began, rings = heard(form(ANSWER))
    assert (began.source_key, began.address, began.occurred_at) == (SID, ADDRESS, None)
    assert began.fact == InteractionReceived(
        interaction_id=CALL,
        kind="call",
        channel="voice/twilio",
        assurance="verified",
        evidence=("stir=pass/A",),
        provider_codes={"country": "IR"},
        personal=Content(address=ADDRESS, recipient="tel:+982191000000"),
    )
    assert rings.fact == CallProgressed(
        interaction_id=CALL,
        leg_id=ORIGIN.derive(SID, "leg"),
        first_leg=True,
        channel="voice/twilio",
        direction="in",
        state="ringing",
        reported="ringing",
        assurance="verified",
        evidence=("stir=pass/A",),
        personal=Party(address=ADDRESS),
    )


@pytest.mark.parametrize(
    ("request_", "types"),
    [
        (form(ANSWER), ["interaction.received", "call.progressed"]),
        (report("in-progress", 0, 8), ["interaction.received", "call.answered"]),
        (report("completed", 1, 61, CallDuration="53"), ["interaction.received", "call.ended"]),
        (report("no-answer", 1, 61), ["interaction.received", "call.ended", "call.missed"]),
        (report("busy", 1, 61), ["interaction.received", "call.ended", "call.missed"]),
        (report("canceled", 1, 61), ["interaction.received", "call.ended", "call.missed"]),
        (report("failed", 1, 61), ["interaction.received", "call.ended", "call.missed"]),
        (
            report("no-answer", 1, 61, Direction="outbound-api"),
            ["interaction.received", "call.ended", "receipt.reported"],
        ),
        (report("teleported", 1, 61), ["interaction.received"]),
        (leg("initiated", 0, 1), ["call.progressed"]),
        (leg("no-answer", 1, 30), ["call.ended"]),
        (dialled("completed", 60), ["interaction.received", "call.ended"]),
        (dialled("answered", 60), ["interaction.received", "call.ended"]),
        (dialled("no-answer", 60), ["interaction.received", "call.ended", "call.missed"]),
        (dialled("busy", 60, DialCallSid=""), ["interaction.received", "call.missed"]),
        (dialled("teleported", 60), ["interaction.received"]),
        (recorded(), ["call.recorded"]),
        (recorded(RecordingStatus="absent"), []),
    ],
)
def test_what_one_request_says(request_: InboundRequest, types: list[str]) -> None:
    assert kinds(request_) == types


@pytest.mark.parametrize("call", [taken_call(), missed_call()])
def test_all_legs_are_one_call(call: list[InboundRequest]) -> None:
    facts = [one.fact for request in call for one in heard(request)]
    assert {fact.interaction_id for fact in facts} == {CALL}
    assert ORIGIN.derive(DESK, "leg") in {fact.leg_id for fact in facts if isinstance(fact, CallEnded)}


def test_the_end_of_a_leg() -> None:
    (one,) = heard(leg("completed", 3, 60, CallDuration="52", SipResponseCode="200"))
    assert (one.source_key, one.occurred_at) == (f"{DESK}/completed/3", AT + timedelta(seconds=60))
    assert one.fact == CallEnded(
        interaction_id=CALL,
        leg_id=ORIGIN.derive(DESK, "leg"),
        first_leg=False,
        channel="voice/twilio",
        direction="in",
        outcome="completed",
        duration_seconds=52,
        reported="completed",
        sequence=3,
        assurance="claimed",
        provider_codes={"sip": "200"},
        personal=Party(address=ADDRESS),
    )


def test_a_call_is_missed_once_whatever_says_so() -> None:
    said = [one for request in (dialled("no-answer", 31), report("no-answer", 1, 32)) for one in heard(request)]
    assert {one.source_key for one in said if isinstance(one.fact, CallMissed)} == {SID}


def test_a_call_that_we_make_is_with_whom_we_call() -> None:
    request = report("in-progress", 1, 9, Direction="outbound-api", From=OURS, To=CALLER)
    began, answered, receipt = heard(request)
    assert isinstance(began.fact, InteractionReceived)
    assert isinstance(answered.fact, CallAnswered)
    assert isinstance(receipt.fact, ReceiptReported)
    assert (receipt.address, receipt.fact.state) == (ADDRESS, "delivered")
    assert (began.address, began.fact.direction, answered.fact.direction) == (ADDRESS, "out", "out")


@pytest.mark.parametrize("withheld", ["Anonymous", "+266696687", "Restricted", "", "sip:anonymous@anonymous.invalid"])
def test_callers_who_withhold_their_number_stay_apart(withheld: str) -> None:
    began, _ = heard(form(ANSWER | {"From": withheld}))
    (of_leg,) = heard(leg("ringing", 1, 2, From=withheld))
    other, _ = heard(form(ANSWER | {"From": withheld, "CallSid": "CA2"}))
    assert began.address == of_leg.address == f"anonymous:{SID}"
    assert other.address == "anonymous:CA2"
    assert isinstance(began.fact, InteractionReceived)
    assert (began.fact.assurance, began.fact.evidence) == ("none", ())


@pytest.mark.parametrize("shown", [OURS, "+982191000001"])
def test_a_leg_that_shows_our_own_number_names_no_customer(shown: str) -> None:
    (one,) = voice(caller_id="+982191000001").parse(leg("ringing", 1, 2, From=shown))
    assert one.address == f"anonymous:{SID}"


@pytest.mark.parametrize(
    ("stated", "assurance", "evidence"),
    [
        ("TN-Validation-Passed-A", "verified", ("stir=pass/A",)),
        ("TN-Validation-Passed-A-Diverted", "verified", ("stir=pass/A",)),
        ("TN-Validation-Passed-B", "claimed", ("stir=pass/B",)),
        ("TN-Validation-Passed-C", "claimed", ("stir=pass/C",)),
        ("TN-Validation-Failed-A", "claimed", ("stir=failed",)),
        ("No-TN-Validation", "claimed", ()),
        ("", "claimed", ()),
    ],
)
def test_how_sure_it_is_who_calls(stated: str, assurance: str, evidence: tuple[str, ...]) -> None:
    fact = heard(form(ANSWER | {"StirVerstat": stated}))[0].fact
    assert isinstance(fact, InteractionReceived)
    assert (fact.assurance, fact.evidence) == (assurance, evidence)


def test_a_recording_is_linked_only_under_the_address_of_its_caller() -> None:
    fact = heard(dialled("completed", 60, RecordingSid="RE1", RecordingUrl="https://x.example/RE1"))[-1].fact
    assert isinstance(fact, CallRecorded)
    assert (fact.media_type, fact.personal) == ("audio/wav", Recording(address=ADDRESS, url="https://x.example/RE1"))
    (alone,) = heard(recorded())
    assert isinstance(alone.fact, CallRecorded)
    assert (alone.fact.attachment_id, alone.fact.duration_seconds) == (fact.attachment_id, 20)
    assert alone.fact.personal == Recording(address=f"anonymous:{SID}")


@pytest.mark.parametrize("written", ["", "x", "-1", "99999999999", "1.5", "۵"])
def test_a_duration_that_is_none_is_left_out(written: str) -> None:
    fact = heard(report("completed", 1, 61, CallDuration=written))[1].fact
    assert isinstance(fact, CallEnded)
    assert fact.duration_seconds is None


@pytest.mark.parametrize("stamp", ["", "soon", "Fri, 31 Dec 9999 23:59:00 -2359", "Mon, 99 Jan 2026 00:00:00 GMT"])
def test_a_time_that_is_none_is_left_to_the_edge(stamp: str) -> None:
    assert {one.occurred_at for one in heard(report("completed", 1, 61, Timestamp=stamp))} == {None}


def test_nothing_that_tells_where_a_person_is_stands_in_the_clear_part() -> None:
    for request in (*taken_call(), *missed_call()):
        for one in heard(request):
            clear = one.fact.clear_json()
            assert not any(secret in clear for secret in (b"TEHRAN", b"9121234567", SID.encode(), b"api.twilio.com"))


def test_no_database_is_given_a_nul() -> None:
    said = heard(form({"CallSid": "C\0A", "From": "\0" + CALLER, "FromCountry": "\0", "CallStatus": "ring\0ing"}))
    assert [(one.source_key, one.address) for one in said] == [("CA", ADDRESS), ("CA/ringing", ADDRESS)]


def test_a_request_without_a_call_names_the_field() -> None:
    for params in ({}, {"From": CALLER}, {"CallSid": ""}):
        with pytest.raises(Malformed, match="CallSid"):
            heard(form(params))
    with pytest.raises(Malformed, match="JSON"):
        heard(replace(form({}), headers=(("content-type", "application/json"),), body=b"{"))
