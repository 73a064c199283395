"""`tamas status`."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import psycopg
import typer
from psycopg.rows import DictRow, dict_row

from services.ops.exits import NO
from services.ops.options import Json, with_database
from services.ops.output import emit_one, say
from services.settings import Settings

PATIENCE_SECONDS: Final = 10.0
"""What waits longer than this is in trouble."""

_RECORD: Final = """
    SELECT record.head() AS head, c.position AS relay,
        extract(epoch FROM clock_timestamp() - c.moved_at)::float8 AS relay_age_seconds,
        extract(epoch FROM clock_timestamp() - record.behind_since(coalesce(c.position, 0)))::float8
            AS relay_lag_seconds,
        (SELECT count(*) FROM service.pending) AS pending,
        (SELECT count(*) FROM service.parked WHERE state = 'parked') AS parked
    FROM (SELECT %s AS prefix) AS ours LEFT JOIN service.relay_cursor AS c USING (prefix)"""
_PROJECTOR: Final = """
    SELECT min(position) FILTER (WHERE projection_set = 'views') AS position,
        (SELECT count(*) FROM views.parked) AS parked FROM views.positions"""
_BEHIND: Final = (
    "SELECT coalesce(extract(epoch FROM clock_timestamp() - record.behind_since(%s)), 0)::float8 AS seconds"
)


def run(
    *,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when something does not keep up.")] = False,
    as_json: Json = False,
) -> None:
    """How far the record, the relay and the read models are, and what waits for somebody."""
    settings = with_database()
    found = _status(settings)
    troubles = _troubles(found, has_broker=bool(settings.bootstrap()))
    emit_one({"ok": not troubles, **found}, as_json=as_json)
    for trouble in troubles:
        say(trouble)
    if check and troubles:
        raise typer.Exit(NO)


def _status(settings: Settings) -> dict[str, Any]:
    with _connected(settings.record_url) as record, _connected(settings.views_url) as views:
        # The reader before what it reads, so that it never seems to be ahead.
        projector = views.execute(_PROJECTOR).fetchone() or {}
        row = record.execute(_RECORD, (settings.topic_prefix,)).fetchone() or {}
        behind = record.execute(_BEHIND, (projector.get("position") or 0,)).fetchone() or {"seconds": 0.0}
    return {
        "head": row["head"],
        "relay": {
            "position": row["relay"],
            "lag_seconds": _rounded(row["relay_lag_seconds"]),
            "age_seconds": _rounded(row["relay_age_seconds"]),
        },
        "projector": {
            "position": projector.get("position"),
            "lag_seconds": _rounded(behind["seconds"]),
            "parked": projector.get("parked"),
        },
        "pending": row["pending"],
        "parked": row["parked"],
    }


def _troubles(found: Mapping[str, Any], *, has_broker: bool) -> list[str]:
    relay, projector = found["relay"], found["projector"]
    troubles: list[str] = []
    if has_broker and relay["lag_seconds"] > PATIENCE_SECONDS:
        troubles.append(f"The relay has not published what came {relay['lag_seconds']:.0f} s ago.")
    if projector["lag_seconds"] > PATIENCE_SECONDS:
        troubles.append(f"The read models lack what came {projector['lag_seconds']:.0f} s ago.")
    if projector["parked"]:
        troubles.append(f"{projector['parked']} events could not be brought into the read models: see views.parked.")
    if found["parked"]:
        troubles.append(f"{found['parked']} requests are parked: see tamas parked list.")
    return troubles


def _connected(url: str) -> psycopg.Connection[DictRow]:
    return psycopg.Connection[DictRow].connect(url, autocommit=True, connect_timeout=5, row_factory=dict_row)


def _rounded(seconds: float | None) -> float:
    return round(max(0.0, seconds or 0.0), 3)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"status": run}
