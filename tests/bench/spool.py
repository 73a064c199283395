"""The spool beside the record: requests a second into it while PostgreSQL is away, and out of it once it is back."""

import time
from contextlib import closing

import httpx
import psycopg
from psycopg import sql

from tests.bench.figures import Figure, paired
from tests.bench.load import Load, Spec
from tests.bench.stand import Servers, Target, ours

_ROUNDS = 5
_SECONDS = 3.0
_MOST_A_SECOND = 16_000


def spool(found: Servers) -> list[Figure]:
    """Closed loop over 128 connections, in turn with PostgreSQL there and away."""
    there, away, drained = list[float](), list[float](), list[float]()
    with ours(found) as target:
        for number in range(_ROUNDS + 1):
            into_record = _load(target).run().rate
            load = _load(target)
            _away(found, target)
            into_spool = load.run().rate
            waiting = _spooled(target)
            _back(found, target)
            began = time.monotonic()
            while _spooled(target):
                time.sleep(0.02)
            if number:
                there.append(into_record)
                away.append(into_spool)
                drained.append(waiting / (time.monotonic() - began))
    return [
        paired("accepted into the spool, 128 connections", away, there, "/s", "into the record"),
        paired("drained from the spool, paced", drained, there, "/s", "intake into the record"),
    ]


def _load(target: Target) -> Load:
    return Load(Spec(target.url, target.path, _SECONDS, int(_SECONDS * _MOST_A_SECOND)))


def _away(found: Servers, target: Target) -> None:
    """The database takes nobody any more; wait until the edge has given it up."""
    _allow(found, target, allowed=False)
    load = Load(Spec(target.url, target.path, 1.0, 100, connections=1))
    load.run()
    while not _spooled(target):
        time.sleep(0.02)


def _back(found: Servers, target: Target) -> None:
    _allow(found, target, allowed=True)


def _allow(found: Servers, target: Target, *, allowed: bool) -> None:
    with closing(psycopg.connect(found.postgres.url, autocommit=True)) as connection:
        statement = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        connection.execute(statement.format(sql.Identifier(target.database), sql.Literal(allowed)))
        if not allowed:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(ended, (target.database,))


def _spooled(target: Target) -> int:
    return httpx.get(target.url + "/readyz", trust_env=False, timeout=30).json()["checks"]["spool"]["waiting"]
