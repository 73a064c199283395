"""A tenant: an organisation that this installation serves. Pure: states, one command, decide and evolve."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import Final, assert_never
from uuid import UUID, uuid5
from zoneinfo import available_timezones

import phonenumbers

from schemas.setting import TenantRegistered
from services.record.errors import Refused

_NAMESPACE: Final = UUID("b0d6c0de-4a57-5c1e-8f0e-5f3c4f1b7a90")
_SLUG: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_CALENDARS: Final = ("persian", "gregorian", "islamic")


@dataclass(frozen=True, slots=True)
class NoTenant:
    """Nobody of this name yet."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """`region` is ISO 3166 in two letters, `language` BCP 47, `time_zone` a name of the IANA database."""

    slug: str
    name: str
    region: str
    time_zone: str
    language: str
    calendar: str


TenantState = NoTenant | Tenant


@dataclass(frozen=True, slots=True)
class RegisterTenant:
    """Serve this organisation from now on."""

    slug: str
    name: str
    region: str = "IR"
    time_zone: str = "Asia/Tehran"
    language: str = "fa"
    calendar: str = "persian"


def tenant_stream(slug: str) -> UUID:
    """The id of a tenant's stream, derived from its slug: two of the same name meet in one stream."""
    return uuid5(_NAMESPACE, slug)


def decide(state: TenantState, command: RegisterTenant) -> tuple[TenantRegistered, ...]:
    """Register once. Raises `Refused` for a name that is taken or a value that is none of its kind."""
    match state:
        case Tenant():
            raise Refused(f"There is a tenant {state.slug!r} already ({state.name}).")
        case NoTenant():
            _check(command)
            return (
                TenantRegistered(
                    tenant=command.slug,
                    name=command.name.strip(),
                    region=command.region,
                    time_zone=command.time_zone,
                    language=command.language,
                    calendar=command.calendar,
                ),
            )
        case _:
            assert_never(state)


def evolve(_: TenantState, fact: TenantRegistered) -> TenantState:
    """The tenant after this fact."""
    return Tenant(fact.tenant, fact.name, fact.region, fact.time_zone, fact.language, fact.calendar)


def tenant_after(facts: Iterable[TenantRegistered]) -> TenantState:
    """The tenant after all these facts."""
    start: TenantState = NoTenant()
    return reduce(evolve, facts, start)


def _check(command: RegisterTenant) -> None:
    if not _SLUG.fullmatch(command.slug):
        raise Refused(
            f"{command.slug!r} cannot be a tenant's short name: up to 40 of a-z, 0-9 and '-', beginning with a letter."
        )
    if not command.name.strip():
        raise Refused("A tenant needs a name that people can read.")
    if command.region not in phonenumbers.SUPPORTED_REGIONS:
        raise Refused(f"{command.region!r} is no region: two capital letters of ISO 3166, such as IR.")
    if command.time_zone not in available_timezones():
        raise Refused(f"{command.time_zone!r} is no time zone: a name such as Asia/Tehran.")
    if not _LANGUAGE.fullmatch(command.language):
        raise Refused(f"{command.language!r} is no language: a code such as fa or en-GB.")
    if command.calendar not in _CALENDARS:
        raise Refused(f"{command.calendar!r} is no calendar we know: {', '.join(_CALENDARS)}.")
