"""An inbox: one of our own numbers, mailboxes or forms. Pure: states, commands, decide and evolve."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import assert_never
from uuid import UUID

from schemas.setting import InboxAdded, InboxChanged, InboxDisabled, InboxKeyRotated
from services.record.errors import Refused

InboxFact = InboxAdded | InboxChanged | InboxKeyRotated | InboxDisabled


@dataclass(frozen=True, slots=True)
class NoInbox:
    """Not added yet."""


@dataclass(frozen=True, slots=True)
class OpenInbox:
    """Takes what comes. `settings` are the clear ones; secrets are sealed rows elsewhere."""

    inbox_id: UUID
    channel: str
    name: str
    address: str
    natural_name: str
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class DisabledInbox:
    """Takes nothing any more; `was` still explains its facts and lets them be parsed again."""

    was: OpenInbox


InboxState = NoInbox | OpenInbox | DisabledInbox


@dataclass(frozen=True, slots=True)
class AddInbox:
    """Open an inbox. `taken_by` says which enabled inbox has this natural name, None when it is free."""

    inbox_id: UUID
    channel: str
    name: str
    address: str
    natural_name: str
    settings: Mapping[str, str]
    taken_by: str | None


@dataclass(frozen=True, slots=True)
class ChangeInbox:
    """Give settings new values. Empty when only secrets change, which readers have to hear of all the same."""

    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RotateKey:
    """Give it a new secret path."""

    grace_seconds: int


@dataclass(frozen=True, slots=True)
class DisableInbox:
    """Take nothing any more."""


InboxCommand = AddInbox | ChangeInbox | RotateKey | DisableInbox


def decide(state: InboxState, command: InboxCommand) -> tuple[InboxFact, ...]:
    """The facts that the command leads to; none when it is so already. Raises `Refused`."""
    if isinstance(command, AddInbox):
        return _add(state, command)
    match state:
        case NoInbox():
            raise Refused("There is no such inbox.")
        case DisabledInbox():
            if isinstance(command, DisableInbox):
                return ()
            raise Refused(f"The inbox {state.was.name!r} is disabled; add it again to open it.")
        case OpenInbox():
            return _decide_open(state, command)
        case _:
            assert_never(state)


def _add(state: InboxState, command: AddInbox) -> tuple[InboxFact, ...]:
    if not isinstance(state, NoInbox):
        raise Refused("There is an inbox with this id already.")
    if not command.name.strip():
        raise Refused("An inbox needs a name that people can read.")
    if command.taken_by is not None:
        raise Refused(
            f"The inbox {command.taken_by} is open for {command.natural_name} already: disable it first, or change it."
        )
    return (
        InboxAdded(
            inbox_id=command.inbox_id,
            channel=command.channel,
            name=command.name.strip(),
            address=command.address,
            natural_name=command.natural_name,
            settings=dict(command.settings),
        ),
    )


def _decide_open(state: OpenInbox, command: ChangeInbox | RotateKey | DisableInbox) -> tuple[InboxFact, ...]:
    match command:
        case ChangeInbox():
            return (InboxChanged(inbox_id=state.inbox_id, settings=dict(command.settings)),)
        case RotateKey():
            if command.grace_seconds < 0:
                raise Refused("A grace cannot be negative.")
            return (InboxKeyRotated(inbox_id=state.inbox_id, grace_seconds=command.grace_seconds),)
        case DisableInbox():
            return (InboxDisabled(inbox_id=state.inbox_id),)
        case _:
            assert_never(command)


def evolve(state: InboxState, fact: InboxFact) -> InboxState:
    """The inbox after this fact. A fact that does not fit the state changes nothing: readers are tolerant."""
    match fact:
        case InboxAdded():
            return OpenInbox(
                fact.inbox_id, fact.channel, fact.name, fact.address, fact.natural_name, dict(fact.settings)
            )
        case InboxChanged():
            return _changed(state, fact)
        case InboxKeyRotated():
            return state
        case InboxDisabled():
            return DisabledInbox(state) if isinstance(state, OpenInbox) else state
        case _:
            assert_never(fact)


def _changed(state: InboxState, fact: InboxChanged) -> InboxState:
    if not isinstance(state, OpenInbox):
        return state
    return replace(state, settings={**state.settings, **fact.settings})


def inbox_after(facts: Iterable[InboxFact]) -> InboxState:
    """The inbox after all these facts."""
    start: InboxState = NoInbox()
    return reduce(evolve, facts, start)
