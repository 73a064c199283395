"""Gathers from the record all that decides where an answer goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg_pool import AsyncConnectionPool

from channels.capabilities import CAPABILITIES
from channels.phone import customer_address
from services.answering.asking import Draft
from services.answering.question import Heard
from services.customers.on_file import OnFile, on_file, standing
from services.keys.ring import Ring
from services.record.errors import Refused
from services.record.reader import Reader, event_of
from services.resolving import asked as resolving
from services.resolving.known import consents, preference, stated
from services.tenancy.register import SETTLED_OF, Register

_MOST_LEFT: Final = 10
_LONGEST_ADDRESS: Final = 320
# What one request led to, of what is known of its sender.
_IN_CONTACT: Final = """
    SELECT position FROM record.facts
    WHERE tenant = %s AND subject = %s AND (topic = 'customers' OR type = 'fact.withdrawn') AND raw_id = %s"""
# When these addresses last spoke on each of our inboxes, by the conversation that they have there now.
_HEARD_AT: Final = """
    SELECT s.address_id, s.inbox_id, last.recorded_at FROM service.conversation_senders AS s,
        LATERAL (
            SELECT recorded_at FROM record.decisions AS d
            WHERE d.originator_id = s.conversation_id AND d.type IN ('conversation.opened', 'conversation.joined')
                AND convert_from(d.state, 'UTF8')::json ->> 'brought' IN ('message', 'missed_call', 'taken_call')
            ORDER BY d.originator_version DESC LIMIT 1) AS last
    WHERE s.address_id = ANY(%s) AND s.tenant = %s"""


@dataclass(frozen=True, slots=True)
class Sources:
    """Pool and reader to the same record, with rights to this tenant at least."""

    record: AsyncConnectionPool
    reader: Reader
    ring: Ring


async def gathered(sources: Sources, tenant: str, heard: Heard, draft: Draft) -> resolving.Asked:
    """Everything that decides.

    Raises:
        Refused: there is no such tenant.
        psycopg.OperationalError: PostgreSQL is away.
    """
    register = await _register(sources.record, tenant)
    owner = register.tenants.get(tenant)
    if owner is None:
        raise Refused(f"There is no tenant {tenant!r}.")
    question = heard.question
    addresses = _addresses(heard, owner.region)
    known = await _known(sources, tenant, heard, addresses)
    files = {address: await on_file(sources.record, sources.reader, tenant, of) for address, of in known.items()}
    return resolving.Asked(
        message=draft.message(),
        house=resolving.House(owner.time_zone, owner.language),
        inboxes=_inboxes(register, tenant),
        question=question,
        addresses=addresses,
        stated=await _stated(sources, tenant, heard),
        on_file=preference(files.get(question.address, OnFile())),
        consents=tuple(one for address, found in files.items() for one in consents(address, found)),
        heard_at=await _heard_at(sources.record, tenant, known, question),
        override=draft.override(),
    )


async def _register(record: AsyncConnectionPool, tenant: str) -> Register:
    register = Register()
    async with record.connection() as connection:
        for position, of, state in await (await connection.execute(SETTLED_OF, (tenant,))).fetchall():
            register.apply(position, of, state)
    return register


def _inboxes(register: Register, tenant: str) -> tuple[resolving.Inbox, ...]:
    """Those that are open; of closed ones those that were not opened again."""
    found = list(register.of(tenant))
    is_open = {(inbox.channel, inbox.natural_name) for _, inbox, disabled in found if not disabled}
    return tuple(
        resolving.Inbox(inbox.inbox_id, inbox.channel, inbox.name, inbox.address, able, is_open=not disabled)
        for _, inbox, disabled in found
        if (able := CAPABILITIES.get(inbox.channel)) is not None
        and not (disabled and (inbox.channel, inbox.natural_name) in is_open)
    )


def _addresses(heard: Heard, region: str) -> tuple[str, ...]:
    """The question's own, then numbers and mailboxes that were left in its form."""
    left = [customer_address(one, region) for one in heard.left if len(one) <= _LONGEST_ADDRESS]
    usable = [one for one in left if one is not None and one.startswith(("tel:", "mailto:"))]
    return tuple(dict.fromkeys([heard.question.address, *usable[:_MOST_LEFT]]))


async def _known(sources: Sources, tenant: str, heard: Heard, addresses: Sequence[str]) -> dict[str, UUID]:
    known = {heard.question.address: heard.address_id}
    for address in addresses[1:]:
        subject = await sources.ring.find(tenant, address)
        if subject is not None:
            known[address] = subject.address_id
    return known


async def _stated(sources: Sources, tenant: str, heard: Heard) -> resolving.Preference | None:
    if heard.raw_id is None:
        return None
    async with sources.record.connection() as connection:
        cursor = await connection.execute(_IN_CONTACT, (tenant, heard.address_id, heard.raw_id))
        positions = [row[0] for row in await cursor.fetchall()]
    rows = [row for row in await sources.reader.rows_at(positions) if not row.erased]
    return stated(event.fact for event in standing(event_of(row) for row in rows))


async def _heard_at(
    record: AsyncConnectionPool, tenant: str, known: Mapping[str, UUID], question: resolving.Question
) -> dict[tuple[UUID, str], datetime]:
    """Of all but the question itself, which says more exactly when it was asked."""
    addresses = {address_id: address for address, address_id in known.items()}
    async with record.connection() as connection:
        rows = await (await connection.execute(_HEARD_AT, (list(addresses), tenant))).fetchall()
    found = {(inbox_id, addresses[address_id]): at for address_id, inbox_id, at in rows}
    found.pop((question.inbox_id, question.address), None)
    return found
