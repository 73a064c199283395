from collections import Counter

from services.demo.plan import plan
from services.demo.send import expected


def test_the_same_seed_sends_the_same_traffic() -> None:
    assert plan(7) == plan(7)
    assert plan(7) != plan(8)


def test_every_kind_of_outcome_is_in_the_plan() -> None:
    outcomes = Counter(piece.expect for piece in plan(1))
    assert set(outcomes) == {"accepted", "duplicate", "refused", "parked"}


def test_only_accepted_pieces_make_facts() -> None:
    assert all((piece.facts > 0) == (piece.expect == "accepted") for piece in plan(3))


def test_the_expected_numbers_add_up() -> None:
    numbers = expected(plan(1))
    assert numbers["sent"] == sum(numbers[name] for name in ("accepted", "duplicates", "refused", "parked"))
