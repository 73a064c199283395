"""DESIGN's crash points of the projector, under 500 interactions each."""

import os
import signal

from tests.flows.gates import stopped
from tests.flows.installation import Installation
from tests.flows.traffic import traffic_to
from tests.flows.whole import check_whole

COUNT = 500
_BEFORE_THE_POSITIONS_MOVE = "SELECT FROM views.positions FOR UPDATE"


def test_rows_written_positions_not_moved(up: Installation) -> None:
    traffic = traffic_to(up, 21, COUNT)
    with traffic.flowing():
        for reached in (60, 200, 340):
            traffic.wait_for(reached)
            with stopped(up.settings, _BEFORE_THE_POSITIONS_MOVE):
                up.kill("views")
    check_whole(up, traffic.accepted)


def test_everything_killed_at_once(up: Installation) -> None:
    """A power cut: servers and workers, in the middle of it."""
    traffic = traffic_to(up, 23, COUNT)
    with traffic.flowing():
        traffic.wait_for(200)
        pids = {role: pid for role, pid in up.endpoints["pids"].items() if role != "up"}
        for pid in pids.values():
            os.kill(pid, signal.SIGKILL)
        for role, pid in pids.items():
            up.replaced(role, pid)
    check_whole(up, traffic.accepted)
