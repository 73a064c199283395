"""Every way that an answer could take, best first: inboxes that reach an address, and what was wanted in vain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.resolving.asked import Asked, Inbox, Preference, Question
from services.resolving.outcome import ChosenBecause
from services.resolving.words import fits, meant

_RANKS: Final[dict[ChosenBecause, int]] = {
    "override": 0,
    "stated": 1,
    "on_file": 2,
    "question": 3,
    "form_address": 3,
    "call_by_message": 3,
    "consented": 4,
}
_LEFT_BY: Final[dict[str, ChosenBecause]] = {"form": "form_address", "visit": "form_address", "call": "call_by_message"}

_NOWHERE: Final = (None,)


@dataclass(frozen=True, slots=True)
class Way:
    """One inbox to one address. `answers` says that it is the question's own way back, `place` is in that list."""

    channel: str
    inbox: Inbox | None
    address: str | None
    because: ChosenBecause
    place: int
    answers: bool
    last_heard_at: datetime | None


def ways(asked: Asked) -> list[Way]:
    """Each once, best first: stated in this contact, on file, the question's own channel, then whatever is allowed.

    Among equals: the inbox of the question, where the customer wrote last, what tells of delivery, the given order. An
    automatic message has only the question's own ways back.
    """
    wanted, known = _wanted(asked), _by_scheme(asked)
    found = [_way(asked, wanted, inbox, address) for inbox in asked.inboxes for address in _reached(inbox, known)]
    found += [
        Way(word, None, None, because, place, answers=False, last_heard_at=None)
        for word, because, place in wanted
        if not any(fits(word, inbox.channel) for inbox in asked.inboxes)
    ]
    if asked.message.automatic:
        found = [way for way in found if way.answers]
    question = asked.question
    return sorted(found, key=lambda way: _order(way, question))


def _wanted(asked: Asked) -> list[tuple[str, ChosenBecause, int]]:
    """What was wanted, each word once where it counts most."""
    words: dict[str, tuple[ChosenBecause, int]] = {}
    if asked.override is not None:
        words[meant(asked.override.channel)] = ("override", 0)
    lists: tuple[tuple[ChosenBecause, Preference | None], ...] = (("stated", asked.stated), ("on_file", asked.on_file))
    for because, preference in lists:
        for place, written in enumerate(preference.channels if preference else ()):
            words.setdefault(meant(written), (because, place))
    return [(word, because, place) for word, (because, place) in words.items()]


def _by_scheme(asked: Asked) -> dict[str, list[str]]:
    """The customer's addresses, the question's first."""
    known = dict.fromkeys(asked.addresses)
    if asked.question is not None:
        known = {asked.question.address: None, **known}
    found: dict[str, list[str]] = {}
    for address in known:
        found.setdefault(address.partition(":")[0], []).append(address)
    return found


def _reached(inbox: Inbox, known: Mapping[str, list[str]]) -> Sequence[str | None]:
    """The addresses that this inbox can send to; one None when there is none."""
    own, colon, _ = inbox.address.partition(":")
    # An inbox of another network behind the same gateway (`whatsapp:+98…` at a gateway for SMS) stays within it.
    schemes = (own,) if colon and own.isalpha() else inbox.capabilities.reaches
    return [address for scheme, addresses in known.items() if scheme in schemes for address in addresses] or _NOWHERE


def _way(asked: Asked, wanted: list[tuple[str, ChosenBecause, int]], inbox: Inbox, address: str | None) -> Way:
    question = asked.question
    ground = None if question is None or address is None else _ground(question, inbox, address)
    because, place = ground or "consented", 0
    for word, listed, at in wanted:
        if fits(word, inbox.channel):
            because, place = listed, at
            break
    heard_at = None if address is None else asked.heard_at.get((inbox.inbox_id, address))
    if question is not None and (question.inbox_id, question.address) == (inbox.inbox_id, address):
        heard_at = question.asked_at if heard_at is None else max(heard_at, question.asked_at)
    return Way(inbox.channel, inbox, address, because, place, ground is not None, heard_at)


def _ground(question: Question, inbox: Inbox, address: str) -> ChosenBecause | None:
    """Why the question itself lets us write there: they wrote from there, or left it to be answered at."""
    if address != question.address:
        return None
    if inbox.channel.partition("/")[0] == question.channel.partition("/")[0]:
        return "question"
    return _LEFT_BY.get(question.kind)


def _order(way: Way, question: Question | None) -> tuple[int, int, bool, bool, float, bool]:
    inbox = way.inbox
    return (
        _RANKS[way.because],
        way.place,
        inbox is None or question is None or inbox.inbox_id != question.inbox_id,
        not way.answers,
        -way.last_heard_at.timestamp() if way.last_heard_at else 0.0,
        inbox is None or "delivered" not in inbox.capabilities.receipts,
    )
