"""Answers through a provider with moods and a mail server that bounces, while who sends and who decides is killed."""

import pytest

from tests.flows.answers.storm import Storm, weathered
from tests.servers import _reachable

SEED = 1


@pytest.mark.timeout(280)
def test_100_answers_while_dispatch_is_killed_go_once_and_none_is_lost(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    report = weathered(Storm(SEED, 100), _reachable(tmp_path_factory, "answers"), print)
    assert report.kills["core"] == 4
    assert {"throttle", "hangs_up", "nonsense", "away", "html", "broken"} <= set(report.met)
    assert report.ended["delivered"] > report.ended["failed"] > 0


@pytest.mark.timeout(280)
def test_what_is_decided_once_is_seen_once_while_deciders_and_the_desk_are_killed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    storm = Storm(SEED, 60, roles=("core", "views"), bounces=False)
    report = weathered(storm, _reachable(tmp_path_factory, "answers"), print)
    assert report.kills == {"core": 2, "views": 2}
    assert report.repeats > 0
