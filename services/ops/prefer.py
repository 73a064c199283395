"""`tamas prefer`."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import uuid4

import orjson
import typer
from pydantic import ValidationError

from services.api.preference_shapes import PreferenceBody, preferences
from services.customers.filing import Filed, file
from services.customers.on_file import OnFile, on_file
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.ops.options import Json, TenantName, with_database
from services.ops.output import emit_one
from services.ops.whose import the_address
from services.record.reader import Reader
from services.settings import Settings


def run(
    address: Annotated[str, typer.Argument(help="tel:+98…, mailto:…, or as people write a number or a mailbox.")],
    channels: Annotated[
        list[str] | None, typer.Argument(metavar="CHANNEL…", help="Best first: sms, email, chat/telegram. None: show.")
    ] = None,
    *,
    quiet: Annotated[str | None, typer.Option(metavar="22:00-08:00", help="When not to be disturbed.")] = None,
    language: Annotated[str | None, typer.Option(help="BCP 47, such as fa.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Such as Asia/Tehran; the tenant's without it.")] = None,
    allow: Annotated[list[str] | None, typer.Option(metavar="CHANNEL", help="They allow answers by it; any.")] = None,
    forbid: Annotated[list[str] | None, typer.Option(metavar="CHANNEL", help="They forbid them.")] = None,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """Put on file how an address likes to be answered, in place of what was; without channels, show it."""
    settings = with_database()
    owner, found = the_address(settings, tenant, address)
    filed = None
    if channels or quiet or language or time_zone or allow or forbid:
        begins, _, ends = (quiet or "").partition("-")
        filed = _filed(
            channels=channels or [],
            quiet_hours={"begins": begins, "ends": ends} if quiet else None,
            language=language,
            time_zone=time_zone,
            consents=[
                {"channel": one, "granted": granted}
                for said, granted in ((allow, True), (forbid, False))
                for one in said or []
            ],
        )
    row = asyncio.run(_done(settings, owner, found, filed))
    emit_one(orjson.loads(orjson.dumps(row, option=orjson.OPT_UTC_Z)), as_json=as_json)


def _filed(**given: object) -> Filed:
    try:
        return PreferenceBody.model_validate(given).filed()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise typer.BadParameter(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from error


async def _done(settings: Settings, tenant: str, address: str, filed: Filed | None) -> dict[str, Any]:
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=2) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        if filed is not None:
            await file(settings.record_url, ring, tenant, address, filed, source="command", command_id=uuid4())
        subject = await ring.find(tenant, address)
        if subject is None:
            return preferences(address, None, OnFile())
        found = await on_file(record, Reader(record, ring), tenant, subject.address_id)
        return preferences(address, subject.address_id, found)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"prefer": run}
