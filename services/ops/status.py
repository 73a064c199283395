"""`tamas status`: roles, intake, append, relay, deciders, read models, what waits, disk and servers; once or live."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import psycopg
import typer

from services import state
from services.ops import processes
from services.ops.exits import NO
from services.ops.options import Json, with_database
from services.ops.output import emit_json, say
from services.settings import Settings
from services.spool import shelf
from services.tenancy.store import Tenancy

PATIENCE_SECONDS: Final = 10.0
"""What waits longer than this is in trouble."""
_LEAST_FREE: Final = 0.1
_WATCH_SECONDS: Final = 2.0
# The newest facts are enough to tell a rate: where more came in the last minute, theirs is taken.
_RECENT: Final = """
    WITH newest AS (
        SELECT inbox_id, recorded_at FROM record.facts WHERE inbox_id IS NOT NULL ORDER BY position DESC LIMIT 20000
    ), span AS (
        SELECT CASE WHEN count(*) < 20000 THEN 60.0
            ELSE least(60.0, extract(epoch FROM clock_timestamp() - min(recorded_at))) END AS seconds FROM newest
    )
    SELECT inbox_id::text, round(count(*) * 60 / greatest(max(seconds), 0.001))::bigint FROM newest, span
    WHERE recorded_at > clock_timestamp() - make_interval(secs => seconds) GROUP BY inbox_id"""


def run(
    *,
    check: Annotated[bool, typer.Option("--check", help="Exit 1 when something does not keep up.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Show it every two seconds until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """How far the record, the relay and the read models are, and what waits for somebody."""
    settings = with_database()
    if watch and not check:
        _watch(settings, as_json=as_json)
        return
    found = _told(settings)
    if as_json:
        emit_json([found])
    else:
        from services.ops.status_tables import show  # noqa: PLC0415 - only for people

        show(found)
    for trouble in found["troubles"]:
        say(trouble)
    if check and found["troubles"]:
        raise typer.Exit(NO)


def _watch(settings: Settings, *, as_json: bool) -> None:
    if as_json:
        while True:
            emit_json([_told(settings)])
            time.sleep(_WATCH_SECONDS)
    from services.ops.status_tables import follow  # noqa: PLC0415 - only for people

    follow(lambda: _told(settings), _WATCH_SECONDS)


def _told(settings: Settings) -> dict[str, Any]:
    found = _status(settings)
    troubles = _troubles(found)
    return {"ok": not troubles, **found, "troubles": troubles}


def _status(settings: Settings) -> dict[str, Any]:
    now = state.read(settings)
    told = processes.told(settings.data)
    views = next((one for one in now.sets if one.name == "views"), None)
    free, size = state.disk(settings.data)
    return {
        "head": now.head,
        "relay": {
            "position": now.relay,
            "lag_seconds": _rounded(now.relay_lag_seconds),
            "age_seconds": _rounded(now.relay_age_seconds),
        },
        "projector": {
            "position": None if views is None else views.position,
            "lag_seconds": 0.0 if views is None else _rounded(views.lag_seconds),
            "parked": sum(one.parked for one in now.sets),
        },
        "pending": now.pending,
        "parked": sum(one.requests for one in now.parked),
        "sets": [
            {"name": one.name, "position": one.position, "lag_seconds": _rounded(one.lag_seconds), "parked": one.parked}
            for one in now.sets
        ],
        "processes": processes.processes(told),
        "intake": _intake(settings, processes.intake(told)),
        "append": processes.append(told),
        **processes.deciders(told),
        "spool": {"waiting": shelf.waiting(settings.spool), "set_aside": shelf.aside(settings.spool)},
        "oldest_waiting_seconds": {"pending": now.pending_seconds, "parked": now.parked_seconds},
        "servers": _servers(settings),
        "disk": {"free_bytes": free, "bytes": size},
    }


def _servers(settings: Settings) -> dict[str, bool]:
    # Both others were asked just now.
    servers = {"record": True, "views": True, "keys": state.is_reached(settings.keys_url)}
    if settings.bootstrap():
        servers["broker"] = asyncio.run(state.is_broker_reached(settings))
    return servers


def _intake(settings: Settings, counts: Mapping[str, Mapping[str, int]]) -> list[dict[str, Any]]:
    with psycopg.connect(settings.record_url, autocommit=True, connect_timeout=5) as connection:
        recent: dict[str, int] = dict(connection.execute(_RECENT).fetchall())
    with Tenancy(settings) as tenancy:
        inboxes = [(slug, inbox) for slug, inbox, is_disabled in tenancy.register().of(None) if not is_disabled]
    return [
        {
            "tenant": slug,
            "channel": inbox.channel,
            "name": inbox.name,
            "inbox_id": str(inbox.inbox_id),
            "events_per_minute": recent.get(str(inbox.inbox_id), 0),
            **counts.get(str(inbox.inbox_id), {}),
        }
        for slug, inbox in inboxes
    ]


def _troubles(found: Mapping[str, Any]) -> list[str]:
    relay, servers = found["relay"], found["servers"]
    troubles = [
        f"The process {one['role']} does not answer (its pid was {one['pid']})."
        for one in found["processes"]
        if not one["up"] and not any(other["up"] for other in found["processes"] if other["role"] == one["role"])
    ]
    troubles += [f"The {name} is not reached." for name, is_there in servers.items() if not is_there]
    if "broker" in servers and relay["lag_seconds"] > PATIENCE_SECONDS:
        troubles.append(f"The relay has not published what came {relay['lag_seconds']:.0f} s ago.")
    for one in found["sets"]:
        if one["lag_seconds"] > PATIENCE_SECONDS:
            troubles.append(f"The read models {one['name']} lack what came {one['lag_seconds']:.0f} s ago.")
        if one["parked"]:
            troubles.append(f"{one['parked']} events could not be brought into the read models: see views.parked.")
    troubles += _undecided(found["conversations"], found["answers"])
    if found["spool"]["waiting"]:
        troubles.append(f"{found['spool']['waiting']} requests in the spool wait for an edge that brings them here.")
    if (found["oldest_waiting_seconds"]["pending"] or 0) > PATIENCE_SECONDS:
        troubles.append(f"{found['pending']} requests wait for a parser: is one running?")
    if found["parked"]:
        troubles.append(f"{found['parked']} requests are parked: see tamas parked list.")
    if found["disk"]["free_bytes"] < _LEAST_FREE * found["disk"]["bytes"]:
        troubles.append(f"Only {found['disk']['free_bytes'] >> 20} MB are free on the disk of TAMAS_DATA.")
    if found["spool"]["set_aside"]:
        troubles.append(f"{found['spool']['set_aside']} files of the spool could not be read: see its folder aside.")
    return troubles


def _undecided(conversations: Mapping[str, Any], answers: Mapping[str, Any]) -> list[str]:
    troubles: list[str] = []
    if conversations["lag_seconds"] > PATIENCE_SECONDS:
        troubles.append(f"What came {conversations['lag_seconds']:.0f} s ago has no conversation yet.")
    if conversations["undecided"]:
        troubles.append(f"{conversations['undecided']} facts belong to no conversation: see service.undecided.")
    if answers["oldest_due_seconds"] > PATIENCE_SECONDS:
        troubles.append(f"{answers['due']} answers are due, the first one since {answers['oldest_due_seconds']:.0f} s.")
    if answers["in_doubt"]:
        troubles.append(f"Of {answers['in_doubt']} answers an agent has to say whether they arrived.")
    troubles += [f"The provider of inbox {one} takes no answers." for one in answers["refused_inboxes"]]
    return troubles


def _rounded(seconds: float | None) -> float:
    return round(max(0.0, seconds or 0.0), 3)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"status": run}
