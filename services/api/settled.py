"""What a tenant has settled: its own inboxes and region, read from the record under row-level security."""

from uuid import UUID

from services.api.problems import not_found
from services.api.runtime import Runtime
from services.tenancy.inbox import OpenInbox
from services.tenancy.register import SETTLED_AFTER, Register


async def register_of(runtime: Runtime, tenant: str) -> Register:
    """Everything that is in force for this tenant, and nothing of others."""
    register = Register()
    async with runtime.of(tenant).connection() as connection:
        cursor = await connection.execute(SETTLED_AFTER, (0,))
        for position, owner, state in await cursor.fetchall():
            register.apply(position, owner, state)
    return register


async def inbox_of(runtime: Runtime, tenant: str, inbox_id: UUID) -> tuple[OpenInbox, bool]:
    """An inbox and whether it is disabled. Raises `Problem` (404)."""
    found = (await register_of(runtime, tenant)).inbox(tenant, inbox_id)
    if found is None:
        raise not_found("inbox")
    return found[1], found[2]


async def region_of(runtime: Runtime, tenant: str) -> str:
    """As its people write numbers: ISO 3166 in two letters. It is settled once and for all."""
    known = runtime.regions.get(tenant)
    if known is None:
        owner = (await register_of(runtime, tenant)).tenants.get(tenant)
        known = "ZZ" if owner is None else owner.region
        runtime.regions[tenant] = known
    return known
