import pytest

from services import limits
from services.limits import Limits


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    pace = Limits(2, 3, clock=lambda: now[0])
    assert [pace.take("sara") for _ in range(4)] == [0, 0, 0, 1]
    assert pace.take(("shop", "reza")) == 0
    now[0] = 0.5
    assert [pace.take("sara") for _ in range(2)] == [0, 1]
    now[0] = 99.0
    assert [pace.take("sara") for _ in range(4)] == [0, 0, 0, 1]


def test_only_full_buckets_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_MOST", 3)
    now = [0.0]
    pace = Limits(1, 2, clock=lambda: now[0])
    assert [pace.take("busy") for _ in range(3)] == [0, 0, 1]
    assert [pace.take(one) for one in range(10)] == [0] * 10
    assert pace.take("busy") == 1
