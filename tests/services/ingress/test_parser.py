"""Parser workers: what waits together is stored together, and nobody pays for another's fault."""

import asyncio
import smtplib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest

from channels.signing import sign_twilio
from services.demo import mails
from services.ingress import app
from services.settings import Settings
from tests.services.ingress.edge import AUTH_TOKEN, Edge, running_edge

HELP = "help@shop.example"
MESSAGES = "SELECT count(*) FROM record.facts WHERE type = 'interaction.received'"
PENDING = "SELECT count(*) FROM service.pending"
PARKED = "SELECT count(*) FROM service.parked"
SOME = 30


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings, with_parser=False) as made:
        yield made


@asynccontextmanager
async def _parser(edge: Edge) -> AsyncGenerator[None]:
    stop = asyncio.Event()
    role = asyncio.create_task(app.run_parser(edge.settings, stop, lambda _: None))
    yield
    stop.set()
    await role


def _send(edge: Edge, *raws: bytes) -> None:
    host, port = edge.smtp.split(":")
    with smtplib.SMTP(host, int(port), timeout=10) as client:
        for raw in raws:
            client.sendmail("sara@example.com", [HELP], raw)


def _letters() -> list[bytes]:
    return [mails.persian("sara@example.com", HELP, f"<{number}@example.com>") for number in range(SOME)]


def _tried(edge: Edge, times: int, place: int) -> None:
    with psycopg.connect(edge.settings.record_url) as connection:
        connection.execute(
            "UPDATE service.pending SET tries = %s WHERE raw_id = "
            "(SELECT raw_id FROM service.pending ORDER BY raw_id OFFSET %s LIMIT 1)",
            (times, place),
        )


async def test_a_batch_keeps_its_order_and_one_that_cannot_be_read_costs_no_other(edge: Edge) -> None:
    letters = _letters()
    letters.insert(7, mails.undecodable("x@example.com", HELP))
    await asyncio.to_thread(_send, edge, *letters)
    async with _parser(edge):
        await edge.until(PENDING, 0)
    assert (edge.count(MESSAGES), edge.count(PARKED)) == (SOME, 1)
    unordered = "SELECT count(*) FROM record.facts a JOIN record.facts b ON a.position < b.position"
    assert edge.count(f"{unordered} AND a.raw_id > b.raw_id") == 0


async def test_what_ended_three_workers_is_parked_and_what_ended_two_is_read(edge: Edge) -> None:
    await asyncio.to_thread(_send, edge, *_letters())
    await asyncio.to_thread(_tried, edge, 3, 5)
    await asyncio.to_thread(_tried, edge, 2, 6)
    async with _parser(edge):
        await edge.until(PENDING, 0)
    assert (edge.count(MESSAGES), edge.count(PARKED)) == (SOME - 1, 1)
    assert edge.count("SELECT count(*) FROM service.parked WHERE reason LIKE '%ended 3 parser workers%'") == 1


async def test_one_message_in_two_long_posts_is_one_fact(edge: Edge) -> None:
    message = {"MessageSid": f"SM{1:032x}", "AccountSid": "AC1", "From": "+989121110001", "To": "+982191001234"}
    async with httpx.AsyncClient(base_url=edge.http) as web:
        for filler in "سش":
            params = {**message, "Body": "سلام", "Filler": filler * 12_000}
            signature = sign_twilio(AUTH_TOKEN, edge.http + edge.sms_path, params.items())
            answer = await web.post(edge.sms_path, data=params, headers={"X-Twilio-Signature": signature})
            assert answer.headers["tamas-result"] == "accepted"
    assert edge.count(PENDING) == 2
    async with _parser(edge):
        await edge.until(PENDING, 0)
    assert edge.count(MESSAGES) == 1
