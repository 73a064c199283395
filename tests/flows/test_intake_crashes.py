"""DESIGN's crash points of intake, by their names: real processes die under 500 interactions each."""

import os
import signal

from tests.flows.doors.opened import KEPT, TRY_AGAIN
from tests.flows.gates import BEFORE_THE_COMMIT, IN_THE_COMMIT, closed, stopped, writers, writers_gone
from tests.flows.installation import Installation, eventually
from tests.flows.traffic import Traffic, traffic_to
from tests.flows.whole import check_whole, count, on_record

COUNT = 500
_KEYS = "SELECT count(*) FROM keys.subjects"
_SUBJECTS = "SELECT count(DISTINCT subject) FROM record.facts"


def test_before_or_after_the_commit_before_the_answer(up: Installation) -> None:
    traffic = traffic_to(up, 1, COUNT, ("sms", "sms", "form"))
    with traffic.flowing():
        for before, after in ((40, 160), (280, 400)):
            traffic.wait_for(before)
            _die_before_the_commit(up)
            traffic.wait_for(after)
            _die_after_the_commit(up, traffic)
    assert traffic.answers[0] > 0
    check_whole(up, traffic.accepted)


def _die_before_the_commit(up: Installation) -> None:
    settings = up.settings
    with stopped(settings, BEFORE_THE_COMMIT):
        there, connections = on_record(settings), writers(settings)
        edge = up.signal("edge", signal.SIGKILL)
    writers_gone(settings, connections)
    assert on_record(settings) == there, "half of a transaction"
    up.replaced("edge", edge)


def _die_after_the_commit(up: Installation, traffic: Traffic) -> None:
    settings = up.settings
    with stopped(settings, IN_THE_COMMIT):
        there, edge = on_record(settings), up.signal("edge", signal.SIGSTOP)
    eventually(lambda: on_record(settings) > there, "what was sent is committed")
    assert on_record(settings) > len(traffic.accepted), "somebody was not told"
    duplicates = traffic.duplicates
    os.kill(edge, signal.SIGKILL)
    up.replaced("edge", edge)
    eventually(lambda: traffic.duplicates > duplicates, "those who were not told come again, and are known")


def test_edge_killed_at_any_moment(up: Installation) -> None:
    traffic = traffic_to(up, 2, COUNT)
    with traffic.flowing():
        for reached in (60, 200, 340):
            traffic.wait_for(reached)
            up.kill("edge")
    assert traffic.answers[0] > 0
    check_whole(up, traffic.accepted)


def test_key_made_fact_not(up: Installation) -> None:
    traffic = traffic_to(up, 3, COUNT, ("sms", "form"))
    settings = up.settings
    with traffic.flowing(6):
        traffic.wait_for(6)
        with closed(settings, BEFORE_THE_COMMIT):
            traffic.let(COUNT)
            eventually(lambda: count(settings, _KEYS) > count(settings, _SUBJECTS), "keys are made before the facts")
            connections, edge = writers(settings), up.signal("edge", signal.SIGKILL)
        writers_gone(settings, connections)
        assert (count(settings, _KEYS) > count(settings, _SUBJECTS), on_record(settings)) == (True, 6)
        up.replaced("edge", edge)
    check_whole(up, traffic.accepted)
    # The orphans became the keys of those who tried again.
    assert count(settings, _KEYS) == count(settings, _SUBJECTS)


def test_raw_pending_parser_dies(up: Installation) -> None:
    traffic = traffic_to(up, 4, COUNT, ("mail", "mail", "sms"))
    settings = up.settings
    with traffic.flowing():
        for reached in (60, 200):
            traffic.wait_for(reached)
            up.kill("parser")
        traffic.wait_for(300)
        with stopped(settings, IN_THE_COMMIT):
            up.kill("parser")
    # What the dead one had claimed is found again when its claims have run out.
    check_whole(up, traffic.accepted)
    assert count(settings, "SELECT count(*) FROM service.pending") == 0
    assert count(settings, "SELECT count(*) FROM service.parked") == 0


def test_postgresql_gone(up: Installation) -> None:
    traffic = traffic_to(up, 5, COUNT)
    with traffic.flowing(240):
        traffic.wait_for(80)
        up.kill("postgres")
        traffic.wait_for(220)
        assert set(traffic.answers) <= KEPT, "an absence this short is waited out"
        with up.without("postgres"):
            traffic.let(COUNT)
            eventually(lambda: set(traffic.answers) & TRY_AGAIN >= {451, 503}, "providers are told to try again")
    assert set(traffic.answers) <= KEPT | TRY_AGAIN
    check_whole(up, traffic.accepted)
