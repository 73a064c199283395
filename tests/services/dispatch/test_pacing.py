"""How fast an inbox sends, and when it waits."""

from services.dispatch.pacing import Pace


def go(pace: Pace, now: float) -> int:
    count = pace.allowance(now)
    pace.started(count)
    return count


def land(pace: Pace, count: int, now: float, *, well: bool = True) -> None:
    for _ in range(count):
        pace.took() if well else pace.refused(now)


def test_ten_a_second_and_no_more() -> None:
    pace, sent = Pace(10.0, 0.0, tokens=10.0), 0
    for tick in range(1000):
        count = go(pace, tick / 100)
        land(pace, count, tick / 100)
        sent += count
    assert 100 <= sent <= 110


def test_less_than_one_a_second() -> None:
    pace, times = Pace(0.5, 0.0), list[float]()
    for tick in range(100):
        count = go(pace, tick / 10)
        land(pace, count, tick / 10)
        times += [tick / 10] * count
    assert times == [0.0, 2.0, 4.0, 6.0, 8.0]


def test_no_more_are_on_their_way_than_64() -> None:
    pace = Pace(1000.0, 0.0, tokens=1000.0)
    assert go(pace, 0.0) == 64
    assert go(pace, 1.0) == 0
    land(pace, 10, 1.0)
    assert go(pace, 1.0) == 10


def test_five_refusals_in_a_row_open_the_circuit_and_one_trial_closes_it() -> None:
    pace = Pace(100.0, 0.0, tokens=4.0)
    assert go(pace, 0.0) == 4
    land(pace, 4, 0.1, well=False)
    assert not pace.is_open
    assert go(pace, 0.11) == 11
    land(pace, 1, 0.2, well=False)
    assert pace.is_open
    land(pace, 10, 0.3, well=False)
    assert go(pace, 5.0) == 0
    assert go(pace, 5.3) == 1
    assert go(pace, 5.4) == 0
    land(pace, 1, 5.5, well=False)
    assert go(pace, 15.4) == 0
    assert go(pace, 15.6) == 1
    land(pace, 1, 15.7)
    assert not pace.is_open
    assert go(pace, 15.8) > 1


def test_a_refusal_between_is_no_pattern() -> None:
    pace = Pace(100.0, 0.0, tokens=100.0)
    for _ in range(10):
        pace.started(5)
        land(pace, 4, 0.0, well=False)
        land(pace, 1, 0.0)
    assert not pace.is_open
