"""What the record knows of a customer, as the resolver asks for it."""

from collections.abc import Iterable
from datetime import time

from schemas.customer import PreferenceStated
from schemas.event import AnyFact
from services.customers.on_file import ANY_CHANNEL, OnFile
from services.resolving.asked import Consent, Preference, QuietHours


def stated(contact: Iterable[AnyFact]) -> Preference | None:
    """What the customer asked for in this very contact, of the facts that its request led to; the last one counts."""
    said = [fact.channels for fact in contact if isinstance(fact, PreferenceStated) and fact.channels]
    return Preference(said[-1]) if said else None


def preference(on_file: OnFile) -> Preference:
    """What is on file for the address."""
    quiet = on_file.quiet_hours
    return Preference(
        channels=on_file.channels,
        quiet_hours=None if quiet is None else QuietHours(_wall(quiet.begins), _wall(quiet.ends)),
        language=on_file.language,
        time_zone=on_file.time_zone,
    )


def consents(address: str, on_file: OnFile) -> tuple[Consent, ...]:
    """What was allowed or forbidden for the address."""
    return tuple(
        Consent(address, None if one.channel == ANY_CHANNEL else one.channel, one.purpose, one.granted, one.stated_at)
        for one in on_file.consents
    )


def _wall(written: str) -> time:
    return time.fromisoformat(written)
