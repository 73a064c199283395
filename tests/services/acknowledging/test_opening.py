"""Of whatever comes, in whatever order: which conversations are acknowledged."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import given

from schemas.conversation import ConversationFact, ConversationOpened
from schemas.setting import InboxAdded, InboxChanged, TenantRegistered
from services.acknowledging.opening import MOST_AGE, Opening, is_old, opening_of
from services.conversations.touches import Touch
from services.record.reader import Row
from services.tenancy.register import Register
from tests.services.conversations.people import HELP, House
from tests.services.conversations.test_properties import touches

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def _register(switch: str | None) -> Register:
    added = InboxAdded(inbox_id=HELP, channel="sms/twilio", name="Help", address="+98", natural_name="twilio:+98")
    tenant = TenantRegistered(
        tenant="shop", name="Shop", region="IR", time_zone="Asia/Tehran", language="fa", calendar="persian"
    )
    register = Register()
    facts = [tenant, added]
    facts += [] if switch is None else [InboxChanged(inbox_id=HELP, settings={"acknowledge": switch})]
    for position, fact in enumerate(facts, 1):
        register.apply(position, "shop", fact.clear_json())
    return register


def _row(position: int, fact: ConversationFact, at: datetime = NOW) -> Row:
    of = fact.conversation_id
    return Row(
        position=position,
        event_id=uuid5(of, str(position)),
        revision=1,
        tenant="shop",
        topic="cases",
        type=fact.type,
        version=fact.version,
        subject=of,
        inbox_id=None,
        raw_id=None,
        occurred_at=at,
        recorded_at=at,
        correlation_id=None,
        causation_id=UUID(int=position),
        traceparent=None,
        payload=fact.clear_json(),
        erased=False,
    )


def _openings(facts: Sequence[ConversationFact], switch: str | None) -> list[Opening]:
    register = _register(switch)
    found = [opening_of(_row(position, fact), register) for position, fact in enumerate(facts, 10)]
    return [one for one in found if one is not None]


@given(touches())
def test_each_conversation_that_a_message_opened_once(made: list[Touch]) -> None:
    house = House()
    facts = house.hear(*made)
    found = _openings(facts, "on")
    opened = [fact for fact in facts if isinstance(fact, ConversationOpened) and fact.brought == "message"]
    assert [one.conversation_id for one in found] == [fact.conversation_id for fact in opened]
    assert len({one.command_id for one in found}) == len(found)
    again = _openings(facts, "on")
    assert [one.command_id for one in again] == [one.command_id for one in found]
    assert _openings(facts, None) == _openings(facts, "off") == []


def test_a_command_id_is_of_the_conversation_alone() -> None:
    of, other = UUID(int=7), UUID(int=8)
    one = _opening(of, NOW)
    assert (
        _opening(of, NOW + timedelta(days=1)).command_id
        == one.command_id
        == UUID("aa41e918-0364-5683-a0ff-44f4564a7bc5")
    )
    assert _opening(other, NOW).command_id != one.command_id


def test_what_is_put_back_is_as_old_as_it_was() -> None:
    assert not is_old(_opening(UUID(int=7), NOW), NOW + MOST_AGE)
    assert is_old(_opening(UUID(int=7), NOW), NOW + MOST_AGE + timedelta(seconds=1))
    put_back = opening_of(_row(99, _opened(UUID(int=7), NOW), at=NOW + timedelta(days=1)), _register("on"))
    assert put_back is not None
    assert is_old(put_back, NOW + timedelta(days=1))


def _opening(of: UUID, at: datetime) -> Opening:
    found = opening_of(_row(99, _opened(of, at), at=at), _register("on"))
    assert found is not None
    return found


def _opened(of: UUID, at: datetime) -> ConversationOpened:
    return ConversationOpened(
        conversation_id=of,
        address_id=UUID(int=1),
        inbox_id=HELP,
        channel="sms/twilio",
        interaction_id=UUID(int=2),
        why="no_conversation",
        brought="message",
        state="waiting",
        since_at=at,
        waits_for="message",
    )
