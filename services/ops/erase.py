"""`tamas erase`."""

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Any, Final

import psycopg
import typer

from projections.generation import position
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.ops.options import Json, TenantName, with_database
from services.ops.output import emit_json, say, shown
from services.ops.whose import the_address
from services.projector.projector import DEFAULT_SET
from services.record.erase import Certificate, erase
from services.settings import Settings
from services.spool import shelf

_PURGED_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 0.05
_BACKUPS: Final = (
    "Backups and archived logs of PostgreSQL from before this hold the key: the erasure is whole once they are gone."
)


def run(
    address: Annotated[str, typer.Argument(help="tel:+98…, mailto:…, or as people write a number or a mailbox.")],
    *,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """Destroy the key of an address, and all that holds only that person; prints a certificate."""
    settings = with_database()
    owner, found = the_address(settings, tenant, address)
    certificate, purged = asyncio.run(_erased(settings, owner, found))
    row = _row(certificate, purged=purged)
    if as_json:
        emit_json([row])
        return
    for name, value in row.items():
        typer.echo(f"{name}: {shown(value)}")
    if shelf.aside(settings.spool):
        say(f"{settings.spool / shelf.ASIDE} holds requests that could not be read, maybe this person's: see to them.")
    if not purged:
        say("The read models are purged when the projector next runs.")


async def _erased(settings: Settings, tenant: str, address: str) -> tuple[Certificate, bool]:
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=2) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        certificate = await erase(settings, record, keys, ring, tenant=tenant, address=address)
    return certificate, await _purged(settings, certificate.position)


async def _purged(settings: Settings, wanted: int) -> bool:
    """Wait a little for the projector."""
    deadline = time.monotonic() + _PURGED_SECONDS
    async with await psycopg.AsyncConnection.connect(settings.views_url, autocommit=True) as connection:
        while await position(connection, DEFAULT_SET) < wanted:
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(_POLL_SECONDS)
    return True


def _row(made: Certificate, *, purged: bool) -> dict[str, Any]:
    return {
        "tenant": made.tenant,
        "address_id": str(made.address_id),
        "epoch": made.epoch,
        "erased_at": made.erased_at.isoformat(timespec="milliseconds"),
        "position": made.position,
        "destroyed": dict(made.destroyed),
        "read_models_purged": purged,
        "stays": [{"day": day.isoformat(), "type": kind, "count": count} for day, kind, count in made.stays],
        "held_by_others": [
            {"raw_id": str(raw_id), "key_goes_on": day.isoformat()} for raw_id, day in made.held_by_others.items()
        ],
        "last_on_kafka": made.last_on_kafka.day,
        "last_on_kafka_by": made.last_on_kafka.by,
        "backups": _BACKUPS,
    }


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"erase": run}
