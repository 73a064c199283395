"""The edge while PostgreSQL is away: dead (nobody listens) and frozen (somebody listens, and says nothing)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import psycopg
import pytest

from channels.contract import InboundRequest
from channels.signing import sign_twilio
from services.settings import Settings
from services.spool import shelf
from services.tenancy.store import NewInbox, Tenancy
from tests.channels.voice.requests import OURS, missed_call
from tests.channels.voice.requests import SETTINGS as CALLS
from tests.gateway import Gateway, gateway
from tests.services.ingress.edge import AUTH_TOKEN, Edge, running_again, running_edge


@dataclass
class Shop:
    """An edge behind a gateway to PostgreSQL; `direct` are settings that go past it."""

    edge: Edge
    web: httpx.AsyncClient
    gate: Gateway
    direct: Settings

    async def post(self, number: int) -> httpx.Response:
        url = self.edge.http + self.edge.sms_path
        params = {"MessageSid": f"SM{number}", "From": "+989121234567", "To": "+982191001234", "Body": f"text {number}"}
        signature = sign_twilio(AUTH_TOKEN, url, list(params.items()))
        return await self.web.post(url, data=params, headers={"X-Twilio-Signature": signature})

    async def call(self, path: str, one: InboundRequest) -> httpx.Response:
        path = f"{path}/{one.purpose}" if one.purpose else path
        pairs = httpx.QueryParams(one.body.decode()).multi_items()
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "X-Twilio-Signature": sign_twilio(AUTH_TOKEN, self.edge.http + path, pairs),
        }
        return await self.web.post(path, content=one.body, headers=headers)

    async def known(self, path: str) -> None:
        """Until the door has heard of an inbox."""
        for _ in range(200):
            if (await self.web.post(path)).status_code != 404:
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the door does not know the inbox")

    async def spooled(self) -> int:
        return (await self.web.get("/readyz")).json()["checks"]["spool"]["waiting"]

    async def drained(self) -> None:
        for _ in range(600):
            if not await self.spooled() and not shelf.waiting(self.edge.settings.spool):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the spool is not drained")

    def recorded(self) -> list[str]:
        """Event ids in the record's order."""
        with psycopg.connect(self.direct.record_url) as connection:
            query = "SELECT event_id FROM record.facts WHERE topic = 'interactions' ORDER BY position"
            return [str(row[0]) for row in connection.execute(query).fetchall()]


@asynccontextmanager
async def _shop(settings: Settings) -> AsyncGenerator[Shop]:
    async with (
        gateway(settings) as (gate, through),
        running_edge(through, with_parser=False) as edge,
        httpx.AsyncClient(base_url=edge.http, timeout=12) as web,
    ):
        yield Shop(edge, web, gate, settings)
        gate.speak()


@pytest.fixture
async def shop(settings: Settings) -> AsyncGenerator[Shop]:
    async with _shop(settings) as made:
        yield made


def _ids(answers: list[httpx.Response]) -> list[str]:
    return [answer.headers["tamas-event-ids"] for answer in answers]


WAYS = pytest.mark.parametrize(
    ("leave", "come"),
    [(Gateway.close, Gateway.open), (Gateway.silence, Gateway.speak)],
    ids=["dead", "frozen"],
)


@WAYS
async def test_who_does_not_come_again_is_kept_and_brought_to_the_record_in_order(
    shop: Shop, leave: Callable[[Gateway], None], come: Callable[[Gateway], object]
) -> None:
    answers = [await shop.post(1)]
    leave(shop.gate)
    answers += [await shop.post(number) for number in range(2, 40)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, "<Response/>")}
    assert {answer.headers["tamas-result"] for answer in answers} == {"accepted"}
    assert await shop.spooled() == 38
    assert len(shop.recorded()) == 1
    found = come(shop.gate)
    if asyncio.iscoroutine(found):
        await found
    await shop.drained()
    answers += [await shop.post(40)]
    assert shop.recorded() == _ids(answers)
    again = await shop.post(7)
    assert again.headers["tamas-result"] == "duplicate"
    assert _ids([again]) == [_ids(answers)[6]]
    with psycopg.connect(shop.direct.record_url) as connection:
        row = connection.execute(
            "SELECT count(*), count(DISTINCT r.raw_id) FROM record.raw AS r JOIN record.facts AS f USING (raw_id) "
            "WHERE f.topic = 'interactions' AND r.received_at < f.recorded_at"
        ).fetchone()
    assert row == (40, 40)


@WAYS
async def test_a_caller_is_connected_and_what_became_of_the_call_is_kept(
    shop: Shop, leave: Callable[[Gateway], None], come: Callable[[Gateway], object]
) -> None:
    path = await asyncio.to_thread(_number, shop.direct)
    await shop.known(path)
    leave(shop.gate)
    asked, *reports = [await shop.call(path, one) for one in missed_call()]
    assert (asked.status_code, asked.headers["tamas-result"], b"<Sip " in asked.content) == (200, "accepted", True)
    assert {(one.status_code, one.headers["tamas-result"]) for one in reports} == {(200, "accepted")}
    assert shop.recorded() == []
    found = come(shop.gate)
    if asyncio.iscoroutine(found):
        await found
    await shop.drained()
    with psycopg.connect(shop.direct.record_url) as connection:
        row = connection.execute("SELECT count(*) FROM record.facts WHERE type = 'call.missed'").fetchone()
    assert row == (1,)


def _number(settings: Settings) -> str:
    with Tenancy(settings) as tenancy:
        given = {"answer": CALLS["answer"]}
        new = NewInbox("voice/twilio", "calls", OURS, given, {"auth_token": AUTH_TOKEN})
        return f"/hooks/voice/twilio/{tenancy.add_inbox('shop', new).key}"


@WAYS
async def test_who_comes_again_is_told_to_and_nobody_a_fault_of_theirs(
    shop: Shop, leave: Callable[[Gateway], None], come: Callable[[Gateway], object]
) -> None:
    del come
    leave(shop.gate)
    form = await shop.web.post(shop.edge.form_path, json={"name": "Sara", "contact": "a@b.example", "message": "?"})
    assert (form.status_code, form.headers["retry-after"]) == (503, "5")
    unknown = await shop.web.post("/hooks/sms/twilio/nobody")
    assert unknown.status_code == 503
    # What is in memory is served however long it takes.
    assert (await shop.web.get(shop.edge.form_path)).status_code == 200
    ready = await shop.web.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["postgres"]["ok"]) == (200, False)
    assert ready.json()["checks"]["spool"] == {"ok": True, "waiting": 0, "detail": "ok"}


async def test_what_another_process_left_is_drained_first(settings: Settings) -> None:
    async with gateway(settings) as (gate, through):
        async with running_edge(through, with_parser=False) as edge, httpx.AsyncClient(timeout=12) as web:
            first = Shop(edge, web, gate, settings)
            gate.close()
            answers = [await first.post(number) for number in range(5)]
        assert shelf.waiting(settings.spool) == 5
        await gate.open()
        async with running_again(edge) as after, httpx.AsyncClient(base_url=after.http, timeout=12) as web:
            second = Shop(after, web, gate, settings)
            await second.drained()
            assert second.recorded() == _ids(answers)


async def test_a_spool_without_room_is_told_as_being_away(settings: Settings) -> None:
    async with _shop(settings.model_copy(update={"spool_limit_bytes": 4000})) as shop:
        await shop.post(0)
        shop.gate.close()
        answers = [await shop.post(number) for number in range(1, 20)]
        assert {answer.status_code for answer in answers} == {200, 503}
        kept = [answer for answer in answers if answer.status_code == 200]
        assert answers[: len(kept)] == kept
        ready = await shop.web.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["spool"]["ok"]) == (503, False)
        await shop.gate.open()
        await shop.drained()
        assert shop.recorded()[1:] == _ids(kept)
