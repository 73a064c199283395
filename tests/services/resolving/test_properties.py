"""What holds for whatever is asked."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from channels.capabilities import CAPABILITIES
from services.resolving.asked import (
    Asked,
    Consent,
    House,
    Inbox,
    Message,
    Override,
    Preference,
    Question,
    QuietHours,
)
from services.resolving.outcome import Resolution, Resolved, Unreachable
from services.resolving.quiet import is_quiet
from services.resolving.resolve import resolve
from tests.services.resolving.given import ADDRESSES, ASKED_BY, CHANNELS, INBOX_IDS

_NOW = datetime(2026, 11, 25, 8, 30, tzinfo=UTC)
_ZONES = ("Asia/Tehran", "Europe/Berlin", "America/New_York", "Pacific/Chatham", "Nowhere/AtAll")
_addresses = st.sampled_from([ADDRESSES[name] for name in "TMCW"])
_words = st.sampled_from(["sms", "email", "chat", "voice", "fax", "whatsapp", "chat/telegram", "SMS ", "phone"])
_moments = st.sampled_from([-3000, -1440, -600, -16, -15, -14, -1, 0, 1]).map(lambda at: _NOW + timedelta(minutes=at))
_quiet = (
    st.none()
    | st.tuples(st.times(), st.times()).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: QuietHours(*pair))
    | st.just(QuietHours(time(0), time(23, 59)))
)
_preferences = st.none() | st.builds(
    Preference,
    channels=st.lists(_words, max_size=4).map(tuple),
    quiet_hours=_quiet,
    language=st.sampled_from([None, "en"]),
    time_zone=st.sampled_from([None, *_ZONES]),
)
_inboxes = st.lists(st.sampled_from(sorted(CHANNELS)), unique=True, max_size=10).map(
    lambda names: tuple(
        Inbox(INBOX_IDS[name], CHANNELS[name][0], name, CHANNELS[name][2], CHANNELS[name][1], name != "sms2")
        for name in names
    )
)
_questions = st.none() | st.tuples(st.sampled_from(sorted(ASKED_BY)), _moments).map(lambda said: _question(*said))
_consents = st.lists(
    st.builds(
        Consent,
        _addresses,
        st.none() | _words,
        st.sampled_from(["service", "any", "marketing"]),
        st.booleans(),
        _moments,
    ),
    max_size=5,
).map(tuple)
_asked = st.builds(
    Asked,
    message=st.builds(Message, st.text(max_size=200), st.sampled_from([None, "<p>"]), st.integers(0, 1), st.booleans()),
    house=st.builds(House, st.sampled_from(_ZONES[:4]), st.just("fa"), _quiet, st.just(900)),
    inboxes=_inboxes,
    question=_questions,
    addresses=st.lists(_addresses, max_size=4).map(tuple),
    stated=_preferences,
    on_file=_preferences,
    consents=_consents,
    heard_at=st.dictionaries(st.tuples(st.sampled_from(list(INBOX_IDS.values())), _addresses), _moments, max_size=5),
    override=st.none() | st.builds(Override, _words, st.just("they said so")),
)


_welcome = tuple(Consent(address, None, "any", granted=True, stated_at=_NOW) for address in ADDRESSES.values())
_allowed_everything = _asked.map(lambda asked: replace(asked, consents=_welcome))


def _question(name: str, at: datetime) -> Question:
    kind, inbox, address = ASKED_BY[name]
    return Question(kind, INBOX_IDS[inbox], CHANNELS[inbox][0], ADDRESSES[address], at)


def _allowed(asked: Asked, found: Resolved) -> bool:
    """Consent as the law has it, told apart from how the resolver looks for it."""
    kind = found.channel.split("/")[0]
    provider = found.channel.partition("/")[2]
    names = (None, kind, found.channel, provider, "phone" if kind == "voice" else kind)
    said = [
        (one.stated_at, not one.granted, one.granted)
        for one in asked.consents
        if one.address == found.address
        and one.purpose != "marketing"
        and (one.channel if one.channel is None else one.channel.strip().lower()) in names
    ]
    stated_at, _, granted = max(said, default=(None, False, False))
    question = asked.question
    if question is None or question.address != found.address:
        return granted
    if question.kind == "message" and question.channel.split("/")[0] != kind:
        return granted
    return granted or stated_at is None or stated_at < question.asked_at


def _ways(found: Resolution) -> list[tuple[str, UUID | None, str | None]]:
    ways = [(one.channel, one.inbox_id, one.address) for one in found.rejected]
    return ways if isinstance(found, Unreachable) else [*ways, (found.channel, found.inbox_id, found.address)]


@settings(max_examples=300, deadline=None)
@given(_asked)
def test_never_a_channel_without_consent(asked: Asked) -> None:
    found = resolve(asked, _NOW)
    assert isinstance(found, Unreachable) or _allowed(asked, found)


@settings(max_examples=300, deadline=None)
@given(_asked | _allowed_everything)
def test_never_in_quiet_hours_without_ground(asked: Asked) -> None:
    found = resolve(asked, _NOW)
    if isinstance(found, Unreachable):
        return
    said = [one for one in (asked.stated, asked.on_file) if one is not None]
    hours = next((one.quiet_hours for one in said if one.quiet_hours), asked.house.quiet_hours)
    named = next((one.time_zone for one in said if one.time_zone), asked.house.time_zone)
    zone = ZoneInfo(asked.house.time_zone if named == "Nowhere/AtAll" else named)
    question = asked.question
    waits_there = (
        question is not None
        and question.address == found.address
        and (question.kind != "message" or question.channel.split("/")[0] == found.channel.split("/")[0])
        and timedelta() <= _NOW - question.asked_at < timedelta(seconds=asked.house.live_seconds)
    )
    goes_at = found.hold_until or _NOW
    assert hours is None or waits_there or not is_quiet(hours, zone, goes_at)
    assert goes_at >= _NOW
    assert (found.hold_until is None) == (found.hold_why is None)


@settings(max_examples=300, deadline=None)
@given(_asked)
def test_the_same_again_gives_the_same(asked: Asked) -> None:
    assert resolve(asked, _NOW) == resolve(asked, _NOW)


@settings(max_examples=300, deadline=None)
@given(_asked)
def test_each_way_is_chosen_or_rejected_once_and_says_why(asked: Asked) -> None:
    found = resolve(asked, _NOW)
    ways = _ways(found)
    assert len(ways) == len(set(ways))
    assert {inbox_id for _, inbox_id, _ in ways if inbox_id} == {inbox.inbox_id for inbox in asked.inboxes}
    assert all(one.why.endswith((".", "said so")) and one.code for one in found.rejected)
    assert found.why


@settings(max_examples=300, deadline=None)
@given(_asked)
def test_less_preferred_than_what_and_overridden_by_whom(asked: Asked) -> None:
    found = resolve(asked, _NOW)
    codes = [one.code for one in found.rejected]
    assert isinstance(found, Resolved) or "less_preferred" not in codes
    assert asked.override is not None or "overridden" not in codes


@settings(max_examples=300, deadline=None)
@given(_asked, _addresses)
def test_whom_it_is_forbidden_for_ever_is_never_written_to(asked: Asked, address: str) -> None:
    forbidden = Consent(address, None, "any", granted=False, stated_at=_NOW + timedelta(days=1))
    found = resolve(replace(asked, consents=(*asked.consents, forbidden)), _NOW)
    assert isinstance(found, Unreachable) or found.address != address


@settings(max_examples=300, deadline=None)
@given(_asked)
def test_the_order_of_consents_does_not_matter(asked: Asked) -> None:
    assert resolve(asked, _NOW) == resolve(replace(asked, consents=asked.consents[::-1]), _NOW)


def test_every_channel_says_where_it_can_send_to() -> None:
    assert {name for name, able in CAPABILITIES.items() if not able.reaches} == {"forms/web"}
