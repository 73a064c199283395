"""`tamas record`."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Final

import psycopg
import typer
from aiokafka.errors import KafkaError

from services.database import pool
from services.keys.vault import Vault
from services.ops.exits import NO
from services.ops.options import Json, with_database
from services.ops.output import emit_one, emit_rows, say
from services.ops.published import highest_published
from services.ops.put_back import on_the_wire, put_back_lost
from services.record.check import Finding
from services.record.check import check as check_record
from services.record.identity import adopt as adopt_record
from services.settings import Settings

_VIEWED: Final = "SELECT coalesce(max(position), 0) FROM views.positions"


def check(
    *,
    every: Annotated[bool, typer.Option("--all", help="Open every fact, not a sample.")] = False,
    as_json: Json = False,
) -> None:
    """Look whether the record is whole. Exit 1 when something is wrong."""
    findings = asyncio.run(_checked(with_database(), every=every))
    emit_rows([asdict(one) for one in findings], ("check", "ok", "detail"), as_json=as_json)
    if not all(one.ok for one in findings):
        raise typer.Exit(NO)


def adopt(
    *,
    above: Annotated[int, typer.Option(metavar="POSITION", help="A position that somebody has seen.")] = 0,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where nothing shows that the record moved.")] = False,
    from_kafka: Annotated[
        bool, typer.Option("--from-kafka", help="Then put back what topics hold and the record lost; repeatable.")
    ] = False,
    as_json: Json = False,
) -> None:
    """After a restore or a failover: let the record live on here, with numbers that were never given out."""
    settings = with_database()
    seen = max(_viewed(settings), on_the_wire(settings)) if from_kafka else _seen(settings)
    adopted = adopt_record(settings.record_url, above=max(above, seen), anyway=anyway)
    if adopted is None:
        say("The record is where it was: there is nothing to adopt.")
    else:
        emit_one(asdict(adopted), as_json=as_json)
    if from_kafka:
        put_back_lost(settings, seen, as_json=as_json)


async def _checked(settings: Settings, *, every: bool) -> list[Finding]:
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=1) as keys:
        return await check_record(record, keys, Vault(settings.secrets()), every=every)


def _seen(settings: Settings) -> int:
    """The highest position that read models or subscribers know: an older copy may have been adopted before."""
    viewed = _viewed(settings)
    if not settings.bootstrap():
        return viewed
    try:
        return max(viewed, asyncio.run(highest_published(settings)))
    except (KafkaError, TimeoutError) as error:
        say(f"Kafka does not tell what was published ({type(error).__name__}); if this record was adopted before from")
        say("the same copy, name the highest position that a subscriber has seen with --above.")
        return viewed


def _viewed(settings: Settings) -> int:
    with psycopg.connect(settings.views_url, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute(_VIEWED).fetchone()
    return 0 if row is None else int(row[0])


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"check": check, "adopt": adopt}
