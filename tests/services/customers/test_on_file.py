"""The last word on each thing, whatever order the events come in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from uuid import UUID, uuid5

import pytest

from schemas.customer import ConsentStated, Habits, PreferenceFiled, PreferenceStated, QuietHours
from schemas.event import AnyFact, Event
from schemas.interaction import FactWithdrawn
from services.customers.on_file import ConsentOnFile, OnFile, consent_of, folded

_NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
_NIGHT = QuietHours(begins="22:00", ends="08:00")
_CONTACT = UUID(int=9)


def _event(position: int, fact: AnyFact, *, minutes: int = 0, recorded_minutes: int | None = None) -> Event:
    at = _NOON + timedelta(minutes=minutes)
    recorded_at = at if recorded_minutes is None else _NOON + timedelta(minutes=recorded_minutes)
    event_id = uuid5(UUID(int=1), str(position))
    return Event(position, event_id, 1, "shop", "customers", UUID(int=2), None, at, recorded_at, fact)


def _filed(*channels: str) -> PreferenceFiled:
    habits = Habits(address="tel:+989121234567", quiet_hours=_NIGHT, language="fa", time_zone="Asia/Tehran")
    return PreferenceFiled(channels=channels, source="agent", personal=habits)


def _said(*channels: str) -> PreferenceStated:
    return PreferenceStated(interaction_id=_CONTACT, channels=channels)


def _consent(channel: str, *, granted: bool, purpose: str = "service") -> ConsentStated:
    return ConsentStated(channel=channel, purpose=purpose, granted=granted)


def test_nothing_was_ever_said() -> None:
    assert folded([]) == OnFile()


def test_the_order_in_which_it_is_read_does_not_matter() -> None:
    events = [
        _event(1, _filed("sms"), minutes=1),
        _event(2, _said("email"), minutes=3),
        _event(3, _consent("sms", granted=True), minutes=2),
        _event(4, _consent("sms/twilio", granted=False), minutes=4),
    ]
    expected = OnFile(
        channels=("email",),
        quiet_hours=_NIGHT,
        language="fa",
        time_zone="Asia/Tehran",
        source="contact",
        stated_at=_NOON + timedelta(minutes=3),
        position=4,
        consents=(ConsentOnFile("sms", "service", granted=False, stated_at=_NOON + timedelta(minutes=4)),),
    )
    assert all(folded(order) == expected for order in permutations(events))


def test_what_is_filed_replaces_everything_but_consent() -> None:
    empty = PreferenceFiled(source="command", personal=Habits(address="tel:+989121234567"))
    found = folded([_event(1, _filed("sms")), _event(2, _consent("any", granted=True)), _event(3, empty, minutes=1)])
    assert (found.channels, found.quiet_hours, found.language, found.time_zone) == ((), None, None, None)
    assert [one.channel for one in found.consents] == ["any"]


def test_a_clock_that_is_ahead_does_not_have_the_last_word_for_ever() -> None:
    ahead = _event(1, _said("email"), minutes=60 * 24 * 365, recorded_minutes=0)
    assert folded([ahead, _event(2, _said("sms"), minutes=6)]).channels == ("sms",)
    assert folded([ahead, _event(2, _said("sms"), minutes=4)]).channels == ("email",)


def test_of_the_same_moment_the_later_record_counts() -> None:
    assert folded([_event(2, _said("sms")), _event(1, _said("email"))]).channels == ("sms",)


def test_what_a_mended_parser_reads_instead_counts() -> None:
    first = _event(1, _said("email"))
    again = replace(first, revision=2, position=5, fact=_said("sms"))
    assert folded([again, first]).channels == ("sms",)
    withdrawn = FactWithdrawn(withdrawn_event_id=first.event_id, withdrawn_revision=1)
    assert folded([first, _event(6, withdrawn)]).channels == ()
    assert folded([first, again, _event(6, withdrawn)]).channels == ("sms",)


@pytest.mark.parametrize(
    ("where", "about"),
    [
        ("forms/web", "any"),
        ("sms/twilio", "sms"),
        ("email/imap", "email"),
        ("chat/telegram", "chat/telegram"),
        ("sms", "sms"),
        ("any", "any"),
    ],
)
def test_what_a_consent_is_about(where: str, about: str) -> None:
    assert consent_of(_consent(where, granted=True), _NOON).channel == about
