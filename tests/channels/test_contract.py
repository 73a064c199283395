"""What every channel promises, whatever its provider."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.capabilities import CAPABILITIES
from channels.contract import Heard, InboundRequest
from channels.errors import BadSignature, Malformed
from channels.registry import REGISTRY
from schemas.event import read_fact
from schemas.fact import join
from schemas.topics import TOPIC_OF
from tests.channels.hostile import HOSTILE
from tests.channels.samples import SAMPLES, channel

NAMES = sorted(REGISTRY)
SMALL, LARGE = 65_536, 25 * 1024 * 1024
"""Bytes. How long these take is measured by `python -m tests.bench bounds`."""

FEW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

content_types = st.sampled_from(
    [
        "application/x-www-form-urlencoded",
        "application/json",
        "application/json; charset=utf-8",
        "multipart/form-data; boundary=b",
        "text/plain",
        "",
    ]
)
bodies = (
    st.binary(max_size=400) | st.text(max_size=200).map(str.encode) | st.sampled_from([b"{}", b"[]", b"null", b"--b--"])
)


def _genuine() -> Iterator[tuple[str, InboundRequest]]:
    for name in NAMES:
        for request in SAMPLES[name].genuine:
            yield name, request


def _unsigned() -> Iterator[tuple[str, InboundRequest]]:
    for name in NAMES:
        for request in SAMPLES[name].unsigned:
            yield name, request


def _shapes(heard: list[Heard]) -> list[tuple[str, str, bytes, bytes | None]]:
    return [(one.source_key, one.address, one.fact.clear_json(), one.fact.personal_json()) for one in heard]


def test_every_channel_has_samples_and_says_what_it_can_do() -> None:
    assert sorted(SAMPLES) == sorted(CAPABILITIES) == sorted(HOSTILE) == NAMES


@pytest.mark.parametrize(("name", "request_"), _genuine())
def test_what_the_provider_sends_passes_and_says_something(name: str, request_: InboundRequest) -> None:
    channel(name).verify(request_)
    heard = channel(name).parse(request_)
    assert heard
    for one in heard:
        assert one.fact.personal is not None
        assert one.fact.personal.address == one.address
        assert getattr(one.fact, "channel", name) == name
        assert TOPIC_OF[one.fact.type] in {"interactions", "customers"}


@pytest.mark.parametrize(("name", "request_"), _unsigned())
def test_what_nobody_signed_is_refused(name: str, request_: InboundRequest) -> None:
    with pytest.raises(BadSignature):
        channel(name).verify(request_)


@pytest.mark.parametrize(("name", "request_"), _genuine())
def test_a_redelivery_makes_the_same_facts(name: str, request_: InboundRequest) -> None:
    first = list(channel(name).parse(request_))
    later = list(channel(name).parse(replace(request_, headers=(*request_.headers, ("x-again", "1")))))
    assert first == later
    assert _shapes(first) == _shapes(later)


@pytest.mark.parametrize(("name", "request_"), _genuine())
def test_another_inbox_makes_other_ids(name: str, request_: InboundRequest) -> None:
    elsewhere = replace(request_, origin=replace(request_.origin, inbox="other"))
    here, there = channel(name).parse(request_), channel(name).parse(elsewhere)
    assert {one.fact.interaction_id for one in here}.isdisjoint(one.fact.interaction_id for one in there)


@pytest.mark.parametrize(("name", "request_"), _genuine())
def test_facts_of_one_request_have_ids_of_their_own(name: str, request_: InboundRequest) -> None:
    heard = channel(name).parse(request_)
    assert len({(one.source_key, one.fact.type) for one in heard}) == len(heard)
    blobs = [blob.blob_id for one in heard for blob in one.blobs]
    assert len(set(blobs)) == len(blobs)


@pytest.mark.parametrize(("name", "request_"), _genuine())
def test_every_fact_survives_its_published_form(name: str, request_: InboundRequest) -> None:
    for one in channel(name).parse(request_):
        assert read_fact(join(one.fact.clear_json(), one.fact.personal_json())) == one.fact


@pytest.mark.parametrize(("name", "request_"), _genuine())
def test_the_clear_part_holds_no_address(name: str, request_: InboundRequest) -> None:
    for one in channel(name).parse(request_):
        bare = one.address.partition(":")[2].lstrip("+")
        assert bare.encode() not in one.fact.clear_json()


@pytest.mark.parametrize("name", NAMES)
@given(body=bodies, content_type=content_types, method=st.sampled_from(["POST", "GET"]), address=st.text(max_size=30))
@FEW
def test_any_bytes_are_facts_or_malformed_and_nothing_else(
    name: str, body: bytes, content_type: str, method: str, address: str
) -> None:
    sample = SAMPLES[name].genuine[0]
    request = replace(
        sample,
        method=method if sample.method != "MAIL" else "MAIL",
        url=f"{sample.url}?{address}",
        headers=(("content-type", content_type), ("x-twilio-signature", address)),
        body=body,
    )
    assert _outcome(name, request) in {"facts", "malformed"}


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
@FEW
def test_damaged_requests_are_facts_or_malformed_and_nothing_else(name: str, data: st.DataObject) -> None:
    genuine = data.draw(st.sampled_from(SAMPLES[name].genuine))
    at = data.draw(st.integers(0, len(genuine.body)))
    junk = data.draw(st.binary(max_size=12))
    cut = data.draw(st.integers(0, 12))
    body = genuine.body[:at] + junk + genuine.body[at + cut :]
    assert _outcome(name, replace(genuine, body=body)) in {"facts", "malformed"}


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name in NAMES for kind in HOSTILE[name]])
def test_what_is_made_to_cost_time_is_the_same_facts_each_time_or_malformed(name: str, kind: str) -> None:
    request = HOSTILE[name][kind](SMALL)
    assert _outcome(name, request) in {"facts", "malformed"}
    assert _heard(name, request) == _heard(name, replace(request))


@pytest.mark.parametrize("kind", ["a file", "open elements", "one long line", "nested multiparts", "line feeds"])
def test_a_mail_of_25_mb_is_facts_or_malformed(kind: str) -> None:
    assert _outcome("email/smtp", HOSTILE["email/smtp"][kind](LARGE)) in {"facts", "malformed"}


def _heard(name: str, request: InboundRequest) -> list[Heard] | str:
    try:
        return list(channel(name).parse(request))
    except Malformed as error:
        return str(error)


def _outcome(name: str, request: InboundRequest) -> str:
    """Both steps, each on its own: a raw request may be parsed again long after it was verified."""
    one = channel(name)
    with suppress(BadSignature):
        one.verify(request)
    try:
        heard = one.parse(request)
    except Malformed:
        return "malformed"
    for each in heard:
        assert read_fact(join(each.fact.clear_json(), each.fact.personal_json())) == each.fact
    return "facts"
