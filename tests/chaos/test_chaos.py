"""`make chaos` in small: all five kinds of contact come in while everything dies and freezes."""

from collections import Counter
from itertools import product

import pytest

from tests.brokers import Brokers
from tests.chaos.plan import planned
from tests.chaos.storm import Storm, roles_of, weathered
from tests.flows.doors.opened import FIVE_KINDS
from tests.flows.traffic import written_by
from tests.servers import _reachable

SEED = 1


@pytest.mark.timeout(280)
def test_500_contacts_of_five_kinds_while_everything_is_killed_and_frozen(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    roles = roles_of(None)
    storm = Storm(SEED, 500, planned(SEED, 500, roles))
    report = weathered(storm, _reachable(tmp_path_factory, "chaos"), print)
    assert set(report.blows) == set(product(roles, ("SIGKILL", "SIGSTOP")))
    assert min(report.contacts[door] for door in FIVE_KINDS) > 50


@pytest.mark.timeout(280)
def test_each_of_three_brokers_is_killed_in_turn_under_all_five_kinds(
    tmp_path_factory: pytest.TempPathFactory, brokers: Brokers
) -> None:
    killed = [role for role in roles_of(brokers) if role.startswith("broker ")]
    storm = Storm(SEED, 119, planned(SEED, 119, killed, ("SIGKILL",), (0.5, 1.5)))
    report = weathered(storm, _reachable(tmp_path_factory, "chaos"), print, brokers)
    assert report.blows == Counter({(role, "SIGKILL"): 1 for role in killed})


def test_the_same_seed_makes_the_same_traffic_and_the_same_blows() -> None:
    roles = roles_of(None)
    assert planned(7, 2000, roles) == planned(7, 2000, roles) != planned(8, 2000, roles)
    assert written_by(7, 50, FIVE_KINDS) == written_by(7, 50, FIVE_KINDS) != written_by(8, 50, FIVE_KINDS)
