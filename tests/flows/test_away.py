"""PostgreSQL dead and frozen, the edge killed, the broker frozen: under load of a provider that asks once."""

import signal
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx
import pytest

from services.spool import shelf
from tests.flows.installation import Installation, eventually
from tests.flows.traffic import Traffic, traffic_to
from tests.flows.whole import check_whole, count, on_record

COUNT = 600
SMS = ("sms",)


def _spooled(up: Installation) -> int:
    """How many requests the edge says it has; -1 while there is no edge."""
    try:
        ready = httpx.get(up.endpoints["http"] + "/readyz", trust_env=False, timeout=10)
    except httpx.TransportError:
        return -1
    return ready.json()["checks"]["spool"]["waiting"]


@contextmanager
def _frozen(up: Installation, role: str) -> Generator[None]:
    go_on = up.freeze(role)
    try:
        yield
    finally:
        go_on()


def _drained(up: Installation) -> None:
    eventually(lambda: _spooled(up) == shelf.waiting(up.settings.spool) == 0, "the spool is on the record")


def _check(up: Installation, traffic: Traffic) -> None:
    _drained(up)
    check_whole(up, traffic.accepted)
    assert count(up.settings, "SELECT count(*) FROM service.parked") == 0
    assert shelf.aside(up.settings.spool) == 0


@pytest.mark.parametrize("way", ["killed", "frozen"])
def test_nobody_who_asks_once_is_refused_while_postgresql_is_away(up: Installation, way: str) -> None:
    traffic = traffic_to(up, 11 if way == "killed" else 12, COUNT, SMS)
    with traffic.flowing(100):
        traffic.wait_for(80)
        with up.without("postgres") if way == "killed" else _frozen(up, "postgres"):
            traffic.let(250)
            traffic.wait_for(250)
            assert _spooled(up) > 50
        traffic.let(400)
        traffic.wait_for(380)
        with _frozen(up, "postgres"):
            traffic.let(500)
            traffic.wait_for(500)
    assert set(traffic.answers) == {200}
    _check(up, traffic)


def test_postgresql_stutters(up: Installation) -> None:
    traffic = traffic_to(up, 13, COUNT, SMS)
    with traffic.flowing():
        for reached in range(50, 550, 100):
            traffic.wait_for(reached)
            with _frozen(up, "postgres"):
                time.sleep(4)
    assert set(traffic.answers) == {200}
    _check(up, traffic)


def test_edge_killed_with_a_spool(up: Installation) -> None:
    traffic = traffic_to(up, 14, COUNT, SMS)
    with traffic.flowing(100):
        traffic.wait_for(80)
        with up.without("postgres"):
            traffic.let(COUNT)
            traffic.wait_for(250)
            edge = up.signal("edge", signal.SIGKILL)
            left = shelf.waiting(up.settings.spool)
            assert left > 50
        up.replaced("edge", edge)
    assert set(traffic.answers) <= {0, 200, 503}
    _check(up, traffic)


def test_edge_killed_while_it_drains(up: Installation) -> None:
    traffic = traffic_to(up, 15, COUNT, SMS)
    with traffic.flowing(50):
        traffic.wait_for(40)
        with up.without("postgres"):
            traffic.let(COUNT)
            traffic.wait_for(400)
        for _ in range(2):
            eventually(lambda: on_record(up.settings) > 60, "it drains")
            up.kill("edge")
    assert set(traffic.answers) <= {0, 200, 503}
    _check(up, traffic)


def test_a_broker_that_is_frozen_keeps_nobody_waiting(up: Installation) -> None:
    traffic = traffic_to(up, 16, COUNT, SMS)
    with traffic.flowing(100):
        traffic.wait_for(100)
        with _frozen(up, "kafka"):
            traffic.let(400)
            traffic.wait_for(400)
            time.sleep(10)
        traffic.let(COUNT)
    assert set(traffic.answers) == {200}
    check_whole(up, traffic.accepted)
