"""`tamas tail`."""

import asyncio
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, Final

import typer

from schemas.topics import TOPICS
from services.cloudevents import to_json
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.ops.front_door import public_url
from services.ops.options import Json, TenantName, moment, with_database
from services.ops.output import shown
from services.record.reader import Reader, Row
from services.settings import Settings

_PAGE: Final = 500
_POLL_SECONDS: Final = 0.05
_INSTANT: Final = timedelta(microseconds=1)


def run(
    topic: Annotated[str, typer.Argument(help=f"One of {', '.join(TOPICS)}; or all.")],
    begin: Annotated[
        str, typer.Option("--from", metavar="beginning|end|POSITION|TIME", help="The first event to show.")
    ] = "end",
    count: Annotated[int | None, typer.Option("-n", min=1, help="Stop after so many.")] = None,
    tenant: TenantName = None,
    *,
    as_json: Json = False,
) -> None:
    """Show events as they come, until Ctrl-C. From the record, so that it works while Kafka is away."""
    settings = with_database()
    wanted = topic.removeprefix(settings.topic_prefix)
    if wanted not in (*TOPICS, "all"):
        raise typer.BadParameter(f"there is no topic {topic}; there are {', '.join(TOPICS)}", param_hint="TOPIC")
    topics = None if wanted == "all" else [wanted]
    asyncio.run(_follow(settings, _start(begin), topics, tenant, count, as_json=as_json))


def _start(text: str) -> Callable[[Reader], Any]:
    """How to find the position to read after."""
    if text == "end":
        return lambda reader: reader.head()
    if text == "beginning" or text.isdecimal():
        return lambda _: _at(0 if text == "beginning" else max(0, int(text) - 1))
    time = moment(text)
    return lambda reader: reader.position_at(time - _INSTANT)


async def _at(position: int) -> int:
    return position


async def _follow(
    settings: Settings,
    start: Callable[[Reader], Any],
    topics: list[str] | None,
    tenant: str | None,
    count: int | None,
    *,
    as_json: bool,
) -> None:
    base_url = public_url(settings)
    async with pool(settings.record_url, size=1) as record, pool(settings.keys_url, size=1) as keys:
        reader = Reader(record, Ring(keys, Vault(settings.secrets())))
        after, shown_so_far = await start(reader), 0
        while True:
            head = await reader.head()
            limit = _PAGE if count is None else min(_PAGE, count - shown_so_far)
            rows = await reader.read(after, limit, topics=topics, tenant=tenant)
            for row in rows:
                sys.stdout.write(to_json(row, base_url).decode() + "\n" if as_json else _line(row))
            sys.stdout.flush()
            shown_so_far += len(rows)
            if count is not None and shown_so_far >= count:
                return
            after = rows[-1].position if rows else max(after, head)
            if not rows:
                await asyncio.sleep(_POLL_SECONDS)


def _line(row: Row) -> str:
    time = row.recorded_at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"{row.position:>8}  {time}  {row.tenant}  {row.type}  {shown(row.payload.decode())}\n"


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"tail": run}
