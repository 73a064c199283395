"""From a message's acceptance to the decision on its conversation, as another reader of the record sees it."""

import asyncio
import secrets
import time
from uuid import UUID

from psycopg import AsyncConnection

from channels.contract import Origin
from services.tenancy.handlers import natural_name
from tests.bench.door import Posted, posted
from tests.bench.figures import Figure, single
from tests.bench.stand import TENANT, Servers, add_inbox, whole
from tests.bench.traffic import RECIPIENT, message

_RATE = 200
_SECONDS = 30
_WARM_SECONDS = 3
_CUSTOMERS = 3000
"""Every second message opens a conversation, the others go on with one."""
_PAUSE_SECONDS = 0.002
_PATIENCE_SECONDS = 10.0
_NEW = """
    SELECT position, causation_id FROM record.decisions
    WHERE position > %s AND topic = 'cases' ORDER BY position"""


def deciding(found: Servers) -> list[Figure]:
    """With everything running; the reader looks every 2 ms, which counts as latency."""
    settings = found.settings()
    path, url = add_inbox(settings), f"http://{settings.http_listen}"
    run, count = secrets.token_hex(8), (_WARM_SECONDS + _SECONDS) * _RATE
    sids = [f"SM{run}{number:016x}" for number in range(count)]
    requests = [message(url, path, f"+98936{number % _CUSTOMERS:07}", sid) for number, sid in enumerate(sids)]
    origin = Origin(TENANT, natural_name("sms/twilio", "Bench", RECIPIENT))
    caused_by = [origin.derive(sid, "interaction.received") for sid in sids]
    with whole(settings):
        posts, decided = asyncio.run(_measured(settings.record_url, url, requests))
    times = list(zip(posts, (decided[one] for one in caused_by), strict=True))[_WARM_SECONDS * _RATE :]
    took = sorted((at - post.accepted_at) * 1000 for post, at in times)
    whole_way = sorted((at - post.sent_at) * 1000 for post, at in times)
    about = f"accept → decided at {_RATE}/s"
    return [
        single(f"{about}, median", [took[len(took) // 2]], "ms"),
        single(f"{about}, p99", [took[len(took) * 99 // 100]], "ms", "≤ 60"),
        single(f"post sent → decided at {_RATE}/s, p99", [whole_way[len(took) * 99 // 100]], "ms"),
    ]


async def _measured(record: str, url: str, requests: list[bytes]) -> tuple[list[Posted], dict[UUID, float]]:
    decided: dict[UUID, float] = {}
    async with await AsyncConnection.connect(record, autocommit=True) as connection:
        looking = asyncio.create_task(_look(connection, decided))
        posts = await posted(url, requests, _RATE)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while len(decided) < len(posts):
            assert time.monotonic() < deadline, f"{len(decided)} of {len(posts)} messages were decided on"
            await asyncio.sleep(_PAUSE_SECONDS)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
    return posts, decided


async def _look(connection: AsyncConnection, decided: dict[UUID, float]) -> None:
    position = 0
    while True:
        rows = await (await connection.execute(_NEW, (position,), binary=True)).fetchall()
        now = time.perf_counter()
        for _, caused_by in rows:
            decided.setdefault(caused_by, now)
        position = rows[-1][0] if rows else position
        await asyncio.sleep(_PAUSE_SECONDS)
