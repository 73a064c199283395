"""DESIGN's crash points of the relay and the broker, by their names, under 500 interactions each."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from tests.flows import broker
from tests.flows.gates import BEFORE_THE_CURSOR_MOVES, stopped
from tests.flows.installation import Installation, eventually
from tests.flows.traffic import traffic_to
from tests.flows.whole import check_whole, count

COUNT = 500
_EPOCH = "SELECT coalesce(max(epoch), 0) FROM service.relay_cursor"
_POSITION = "SELECT coalesce(max(position), 0) FROM service.relay_cursor"


def test_sent_cursor_not_moved(up: Installation) -> None:
    traffic = traffic_to(up, 11, COUNT)
    with traffic.flowing():
        for reached in (60, 200, 340):
            traffic.wait_for(reached)
            with stopped(up.settings, BEFORE_THE_CURSOR_MOVES):
                up.kill("core")
    check_whole(up, traffic.accepted)


def test_old_relay_wakes(up: Installation) -> None:
    traffic = traffic_to(up, 12, COUNT)
    settings = up.settings
    with relay_beside(up), traffic.flowing(100):
        for reached in (100, 300):
            traffic.wait_for(reached)
            epoch, old = count(settings, _EPOCH), _leader(up)
            os.kill(old, signal.SIGSTOP)
            traffic.let(reached + 100)
            eventually(lambda before=epoch: count(settings, _EPOCH) > before, "another relay takes over")
            at = count(settings, _POSITION)
            traffic.let(reached + 200)
            os.kill(old, signal.SIGCONT)
            eventually(lambda before=at: count(settings, _POSITION) > before, "the new one publishes")
    check_whole(up, traffic.accepted)


def test_two_relays(up: Installation) -> None:
    """Three on purpose: one publishes, and the others take over whenever it dies."""
    traffic = traffic_to(up, 13, COUNT)
    settings = up.settings
    with relay_beside(up), relay_beside(up), traffic.flowing(100):
        for reached in (100, 200, 300):
            traffic.wait_for(reached)
            epoch = count(settings, _EPOCH)
            os.kill(_leader(up), signal.SIGKILL)
            traffic.let(reached + 100)
            eventually(lambda before=epoch: count(settings, _EPOCH) > before, "another relay takes over")
    check_whole(up, traffic.accepted)


def test_broker_truncated_then_written_again(up: Installation) -> None:
    traffic = traffic_to(up, 14, COUNT)
    with traffic.flowing():
        for reached in (150, 350):
            traffic.wait_for(reached)
            assert broker.truncate(up) > 0
    check_whole(up, traffic.accepted)


def test_broker_emptied(up: Installation) -> None:
    traffic = traffic_to(up, 15, COUNT)
    with traffic.flowing():
        traffic.wait_for(250)
        broker.empty(up)
    check_whole(up, traffic.accepted)


@pytest.mark.parametrize("made_again", [False, True], ids=["deleted", "recreated"])
def test_topic_deleted_or_recreated(up: Installation, *, made_again: bool) -> None:
    traffic = traffic_to(up, 16, COUNT)
    with traffic.flowing():
        for reached in (150, 350):
            traffic.wait_for(reached)
            broker.delete_topic(up.settings, "interactions", made_again=made_again)
    check_whole(up, traffic.accepted)


def test_broker_gone(up: Installation) -> None:
    """Nobody who sends notices."""
    traffic = traffic_to(up, 17, COUNT)
    with up.without("kafka"), traffic.flowing():
        pass
    assert traffic.answers[0] == traffic.answers[503] == traffic.answers[451] == 0
    check_whole(up, traffic.accepted)


@contextmanager
def relay_beside(up: Installation) -> Generator[None]:
    """Another relay of the same installation."""
    environment = {**os.environ, "TAMAS_DATA": str(up.data)}
    process = subprocess.Popen(
        [sys.executable, "-m", "services", "run", "relay"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline().startswith(b"ready")
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def _leader(up: Installation) -> int:
    """The process that holds the lease: its holder is `host:pid:…`."""
    return count(up.settings, "SELECT split_part(holder, ':', 2)::int FROM service.leases WHERE name LIKE 'relay:%'")
