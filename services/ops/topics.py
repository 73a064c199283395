"""`tamas topics`."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import typer
from aiokafka.admin import AIOKafkaAdminClient

from services import topics
from services.ops.exits import NO
from services.ops.options import Json, settings
from services.ops.output import emit_rows, say
from services.produce import connection
from services.settings import Misconfigured, Settings

_COLUMNS: Final = ("topic", "exists", "partitions", "copies")


def create() -> None:
    """Make the topics that are missing; prints their names."""
    made = asyncio.run(topics.create(with_broker(settings())))
    for name in made:
        typer.echo(name)
    say(f"{len(made)} topics made." if made else "All topics were there.")


def list_topics(*, as_json: Json = False) -> None:
    """Our topics as the broker has them; exit 1 when one is missing."""
    found = with_broker(settings())
    there = asyncio.run(_described(found))
    rows = [_row(name, there.get(name)) for name in topics.names(found)]
    emit_rows(rows, _COLUMNS, as_json=as_json)
    if not all(row["exists"] for row in rows):
        say("Run tamas topics create.")
        raise typer.Exit(NO)


def with_broker(found: Settings) -> Settings:
    """The same settings. Raises `Misconfigured` when they name no broker."""
    if not found.bootstrap():
        raise Misconfigured(
            "No broker is known: set KAFKA_BOOTSTRAP_SERVERS, or TAMAS_DATA to the data folder of a running `tamas up`."
        )
    return found


async def _described(found: Settings) -> dict[str, list[dict[str, Any]]]:
    admin = AIOKafkaAdminClient(**connection(found), client_id="tamas-topics", request_timeout_ms=10_000)
    try:
        await admin.start()
        described: list[dict[str, Any]] = await admin.describe_topics(None)
    finally:
        await admin.close()
    return {one["topic"]: one["partitions"] for one in described if one["error_code"] == 0}


def _row(name: str, partitions: list[dict[str, Any]] | None) -> dict[str, object]:
    copies = min((len(one["replicas"]) for one in partitions or ()), default=None)
    return {
        "topic": name,
        "exists": bool(partitions),
        "partitions": None if partitions is None else len(partitions),
        "copies": copies,
    }


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"create": create, "list": list_topics}
