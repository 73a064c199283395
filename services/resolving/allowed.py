"""What a customer said last about being written to."""

from collections.abc import Iterable
from typing import Final

from services.resolving.asked import Consent
from services.resolving.words import fits, meant

_ANSWERS: Final = frozenset({"service", "any"})


def last_word(consents: Iterable[Consent], address: str | None, channel: str) -> Consent | None:
    """The newest consent about answers on this channel to this address; of two at one time the one that forbids."""
    last: Consent | None = None
    for consent in consents:
        if consent.address != address or consent.purpose not in _ANSWERS:
            continue
        if consent.channel is not None and not fits(meant(consent.channel), channel):
            continue
        if last is None or (consent.stated_at, last.granted) > (last.stated_at, consent.granted):
            last = consent
    return last
