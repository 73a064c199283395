"""From the settings of an inbox to its channel, and from a channel's complaints to sentences."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeVar

from pydantic import SecretStr, ValidationError

from channels.contract import Channel
from channels.phone import e164, mailbox
from channels.registry import REGISTRY
from services.record.errors import Refused
from services.tenancy.acknowledgement import without_acknowledgement
from services.tenancy.pacing import without_pace
from services.tenancy.tenant import Tenant

_STAND_IN: Final = "not-given-and-not-checked"
_STAND_INS: Final = {"answer": "observe"}
# Secrets that only we use: drawn, so that nobody has to think of one.
_HOUSE_SECRETS: Final = {"forms/web": ("token_secret",)}
_WITHOUT_ADDRESS: Final = frozenset({"forms/web", "chat/widget"})

Made = TypeVar("Made")


def offered(tenant: Tenant, address: str) -> dict[str, str]:
    """What a channel may want to know that nobody has to set."""
    return {"region": tenant.region, "address": address}


def house_secrets(channel: str, draw: Callable[[], str]) -> dict[str, str]:
    """Secrets of this channel that the house draws itself unless they are given."""
    return {name: draw() for name in _HOUSE_SECRETS.get(channel, ())}


def build(channel: str, given: Mapping[str, str], offered: Mapping[str, str]) -> Channel:
    """The channel with these settings. `offered` are what the house knows anyway; a channel without a use drops them.

    Raises:
        Refused: an unknown channel, or settings that its own config model does not take; in a sentence without values.
    """
    return made(channel, _maker(channel), given, offered)


def made(
    channel: str, make: Callable[[Mapping[str, str]], Made], given: Mapping[str, str], offered: Mapping[str, str]
) -> Made:
    """As `build`, of whatever takes the settings of a channel: also what sends for it. Raises `Refused`."""
    own = without_acknowledgement(channel, without_pace(given))
    try:
        return make({**offered, **own})
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        unwanted = {str(problem["loc"][0]) for problem in problems if problem["type"] == "extra_forbidden"}
        unwanted = unwanted & offered.keys() - given.keys()
        if not unwanted:
            told = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
            raise Refused(f"The settings of {channel} are not right: {told}.") from error
        wanted = {name: value for name, value in offered.items() if name not in unwanted}
        return made(channel, make, given, wanted)


def build_without(channel: str, given: Mapping[str, str], offered: Mapping[str, str]) -> Channel:
    """As `build`, with a stand-in for whatever is missing: to parse what nobody wants to verify. Raises `Refused`."""
    try:
        return build(channel, given, offered)
    except Refused as refused:
        cause = refused.__cause__
        problems = cause.errors(include_input=False) if isinstance(cause, ValidationError) else []
        names = [str(problem["loc"][0]) for problem in problems if problem["type"] == "missing"]
        missing = {name: _STAND_INS.get(name, _STAND_IN) for name in names}
        if not missing:
            raise
        return build(channel, {**given, **missing}, offered)


def exposed(handler: Channel, settings: Mapping[str, str]) -> list[str]:
    """Names of clear settings that the channel holds to be secret: they must not be written into the record."""
    config = getattr(handler, "config", None)
    return sorted(name for name in settings if isinstance(getattr(config, name, None), SecretStr))


def natural_name(channel: str, name: str, address: str, settings: Mapping[str, str] = MappingProxyType({})) -> str:
    """What event ids derive from: the provider and our address at it, or the name where there is no address.

    A mailbox is named by its server and user: that is what its mails are fetched from.
    """
    if channel == "email/imap" and "host" in settings and "user" in settings:
        return f"imap:{settings['host'].lower()}/{settings['user']}"
    return f"{channel.partition('/')[2]}:{address or name}"


def own_address(channel: str, written: str, region: str) -> str:
    """One of our own addresses in one spelling: `+98…`, a short code, a mailbox; empty where the kind has none.

    Raises:
        Refused: an unknown channel, a mailbox that is none, or no address where there must be one.
    """
    _maker(channel)
    kind, bare = channel.partition("/")[0], written.strip()
    if kind == "email":
        found = mailbox(bare)
        if found is None:
            raise Refused(f"{written!r} is no mail address.")
        return found
    if not bare and channel not in _WITHOUT_ADDRESS:
        raise Refused(f"An inbox of {channel} needs an address: the number or account that customers write to.")
    number = e164(bare, region) if bare.startswith(("+", "0")) else None
    return number or bare


def _maker(channel: str) -> Callable[[Mapping[str, str]], Channel]:
    make = REGISTRY.get(channel)
    if make is None:
        raise Refused(f"There is no channel {channel!r}. There are: {', '.join(sorted(REGISTRY))}.")
    return make
