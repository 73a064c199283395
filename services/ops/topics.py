"""`tamas topics`."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

import typer

from services import topic_state, topics
from services.ops.exits import NO
from services.ops.options import Json, settings
from services.ops.output import emit_rows, say
from services.settings import Misconfigured, Settings
from services.topic_state import Finding, TopicState

_COLUMNS: Final = ("topic", "exists", "partitions", "copies", "in_sync", "retention_seconds")


def create() -> None:
    """Make the topics that are missing; prints their names."""
    made = asyncio.run(topics.create(with_broker(settings())))
    for name in made:
        typer.echo(name)
    say(f"{len(made)} topics made." if made else "All topics were there.")


def list_topics(*, as_json: Json = False) -> None:
    """Our topics as the broker has them, and what to change; exit 1 when the relay would not write to one."""
    found = with_broker(settings())
    states = asyncio.run(topic_state.look(found))
    findings = topic_state.findings(found, states)
    emit_rows([_row(state, findings) for state in states], _COLUMNS, as_json=as_json)
    for finding in findings:
        say(f"{finding.says[0].upper()}{finding.says[1:]}.")
    if any(finding.must for finding in findings):
        raise typer.Exit(NO)


def with_broker(found: Settings) -> Settings:
    """The same settings. Raises `Misconfigured` when they name no broker."""
    if not found.bootstrap():
        raise Misconfigured(
            "No broker is known: set KAFKA_BOOTSTRAP_SERVERS, or TAMAS_DATA to the data folder of a running `tamas up`."
        )
    return found


def _row(state: TopicState, findings: Sequence[Finding]) -> dict[str, object]:
    exists = state.partitions > 0
    in_sync, retention = state.configs.get("min.insync.replicas"), state.configs.get("retention.ms")
    ours = [finding for finding in findings if finding.topic == state.name]
    return {
        "topic": state.name,
        "exists": exists,
        "partitions": state.partitions if exists else None,
        "copies": state.copies if exists else None,
        "in_sync": None if in_sync is None else int(in_sync),
        "retention_seconds": None if retention is None else int(retention) // 1000,
        "must_change": [finding.says for finding in ours if finding.must],
        "should_change": [finding.says for finding in ours if not finding.must],
    }


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"create": create, "list": list_topics}
