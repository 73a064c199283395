"""Resident memory of every process of ours after 100,000 interactions and after 200,000."""

import time

import psycopg

from services.settings import Settings
from tests.bench.figures import Figure, paired
from tests.bench.load import Load, Spec
from tests.bench.process import resident_bytes
from tests.bench.stand import Servers, add_inbox, whole

_HALF = 100_000
_AT_ONCE = 20_000
_WORKERS = ("edge", "parser", "imap", "core", "views")


def memory(found: Servers) -> list[Figure]:
    """10,000 customers, all their messages through the front door, published and on the timeline."""
    settings = found.settings()
    with whole(settings) as pids:
        path = add_inbox(settings)
        _fill(settings, path)
        first = {name: resident_bytes(pids[name]) / 1e6 for name in _WORKERS}
        _fill(settings, path)
        second = {name: resident_bytes(pids[name]) / 1e6 for name in _WORKERS}
    told = "at 100,000"
    return [
        paired(f"RSS of {name} at 200,000 interactions", [second[name]], [first[name]], "MB", told, "≤ 1.05")
        for name in _WORKERS
    ]


def _fill(settings: Settings, path: str) -> None:
    wanted = _count(settings) + _HALF
    for _ in range(_HALF // _AT_ONCE):
        Load(Spec(f"http://{settings.http_listen}", path, 600, _AT_ONCE, connections=64, warm_seconds=0)).run()
    deadline = time.monotonic() + 120
    while _count(settings) < wanted:
        assert time.monotonic() < deadline, "the timeline did not follow"
        time.sleep(0.2)


def _count(settings: Settings) -> int:
    with psycopg.connect(settings.views_url) as connection:
        row = connection.execute("SELECT count(*) FROM timeline_g1.interactions").fetchone()
    assert row is not None
    return int(row[0])
