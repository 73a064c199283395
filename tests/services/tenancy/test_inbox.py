"""Given facts, when a command, then facts or a sentence."""

from uuid import UUID

import pytest

from schemas.setting import InboxAdded, InboxChanged, InboxDisabled, InboxKeyRotated
from services.record.errors import Refused
from services.tenancy.inbox import (
    AddInbox,
    ChangeInbox,
    DisabledInbox,
    DisableInbox,
    InboxCommand,
    InboxFact,
    NoInbox,
    OpenInbox,
    RotateKey,
    decide,
    inbox_after,
)

ID = UUID("0190b7a2-0000-7000-8000-000000000001")
ADD = AddInbox(ID, "sms/twilio", "Sales", "+982191000000", "twilio:+982191000000", {"a": "1"}, None)
ADDED = InboxAdded(
    inbox_id=ID,
    channel="sms/twilio",
    name="Sales",
    address="+982191000000",
    natural_name="twilio:+982191000000",
    settings={"a": "1"},
)
CHANGED = InboxChanged(inbox_id=ID, settings={"b": "2"})
DISABLED = InboxDisabled(inbox_id=ID)


@pytest.mark.parametrize(
    ("given", "when", "then"),
    [
        ((), ADD, (ADDED,)),
        ((ADDED,), ChangeInbox({"b": "2"}), (CHANGED,)),
        ((ADDED,), ChangeInbox({}), (InboxChanged(inbox_id=ID, settings={}),)),
        ((ADDED,), RotateKey(60), (InboxKeyRotated(inbox_id=ID, grace_seconds=60),)),
        ((ADDED,), DisableInbox(), (DISABLED,)),
        ((ADDED, DISABLED), DisableInbox(), ()),
    ],
)
def test_commands(given: tuple[InboxFact, ...], when: InboxCommand, then: tuple[InboxFact, ...]) -> None:
    assert decide(inbox_after(given), when) == then


@pytest.mark.parametrize(
    ("given", "when", "told"),
    [
        ((ADDED,), ADD, "already"),
        ((), AddInbox(ID, "sms/twilio", " ", "+98", "twilio:+98", {}, None), "name"),
        ((), AddInbox(ID, "sms/twilio", "B", "+98", "twilio:+98", {}, "'Sales'"), "'Sales' is open for twilio:"),
        ((), ChangeInbox({}), "no such inbox"),
        ((ADDED, DISABLED), ChangeInbox({}), "disabled"),
        ((ADDED, DISABLED), RotateKey(0), "disabled"),
        ((ADDED,), RotateKey(-1), "negative"),
    ],
)
def test_refusals(given: tuple[InboxFact, ...], when: InboxCommand, told: str) -> None:
    with pytest.raises(Refused, match=told):
        decide(inbox_after(given), when)


def test_settings_that_are_not_named_keep_their_values() -> None:
    state = inbox_after((ADDED, CHANGED))
    assert isinstance(state, OpenInbox)
    assert state.settings == {"a": "1", "b": "2"}


def test_facts_out_of_place_change_nothing() -> None:
    assert inbox_after((CHANGED, DISABLED)) == NoInbox()
    assert inbox_after((ADDED, DISABLED, CHANGED)) == DisabledInbox(
        OpenInbox(ID, "sms/twilio", "Sales", "+982191000000", "twilio:+982191000000", {"a": "1"})
    )
