"""`tamas timeline`."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import orjson
import typer

from channels.phone import customer_address
from projections.generation import NotServed, reading
from projections.timeline.projection import TIMELINE
from projections.timeline.queries import Item
from projections.timeline.queries import timeline as items_of
from services.api.shapes import interaction
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.ops.api_client import ask, has_token
from services.ops.options import Json, TenantName, duration, moment, settings, with_database
from services.ops.output import emit_rows, say
from services.ops.whose import the_region
from services.record.errors import Refused
from services.settings import Settings

_COLUMNS: Final = ("time", "direction", "channel", "text", "delivery")
_TEXT: Final = 80


def run(
    address: Annotated[str, typer.Argument(help="tel:+98…, mailto:…, or as people write a number or a mailbox.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=200)] = 50,
    since: Annotated[str | None, typer.Option(metavar="TIME", help="RFC 3339, or how long ago: 24h.")] = None,
    tenant: TenantName = None,
    *,
    as_json: Json = False,
) -> None:
    """What was said with an address, newest first; from the API when TAMAS_API_TOKEN is set, else from the database."""
    start = None if since is None else _since(since)
    found = items_with(address, tenant, limit=limit, since=start)
    emit_rows(found if as_json else map(_for_people, found), _COLUMNS, as_json=as_json)
    if not found:
        say("Nothing is known of this address.")


def items_with(address: str, tenant: str | None, *, limit: int, since: datetime | None = None) -> list[dict[str, Any]]:
    """What was said with an address, newest first, in the words of the API, from it or from the database."""
    if has_token(settings()):
        asked = {"address": address, "limit": limit, "since": None if since is None else since.isoformat()}
        return ask(settings(), "/api/v1/timeline", asked)["items"]
    return _from_database(with_database(), address, tenant, limit=limit, since=since)


def _since(text: str) -> datetime:
    return moment(text) if "-" in text else datetime.now(UTC) - duration(text)


def _from_database(found: Settings, address: str, tenant: str | None, **asked: Any) -> list[dict[str, Any]]:
    owner, region = the_region(found, tenant)
    items = asyncio.run(_read(found, owner, customer_address(address, region) or address, asked))
    # The same words as the API's.
    return [orjson.loads(orjson.dumps(interaction(item), option=orjson.OPT_UTC_Z)) for item in items]


async def _read(found: Settings, tenant: str, address: str, asked: Mapping[str, Any]) -> list[Item]:
    options = "-c TimeZone=UTC"
    async with pool(found.keys_url, size=1) as keys, pool(found.views_url, size=1, options=options) as views:
        subject = await Ring(keys, Vault(found.secrets())).find(tenant, address)
        if subject is None:
            return []
        try:
            async with views.connection() as connection, reading(connection, TIMELINE, tenant) as tx:
                return await items_of(tx, tenant, subject.address_id, **asked)
        except NotServed as error:
            raise Refused(f"{error}; try again in a moment.") from error


def _for_people(item: Mapping[str, Any]) -> dict[str, object]:
    at = datetime.fromisoformat(item["occurred_at"]).astimezone()
    said = " ".join(part for part in (_called(item["call"]), item["subject"], item["text"]) if part)
    one_line = " ".join(said.split())
    short = one_line[: _TEXT - 1] + "…" if len(one_line) > _TEXT else one_line
    files = f" [+{len(item['attachments'])}]" if item["attachments"] else ""
    return {
        "time": at.strftime("%Y-%m-%d %H:%M"),
        "direction": item["direction"],
        "channel": item["channel"],
        "text": short + files,
        "delivery": None if item["delivery"] is None else item["delivery"]["state"],
    }


def _called(call: Mapping[str, Any] | None) -> str | None:
    if call is None:
        return None
    words = f"call {call['state'].replace('_', ' ')}"
    seconds = call["duration_seconds"]
    return f"{words}, {seconds // 60}:{seconds % 60:02}" if seconds else words


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"timeline": run}
