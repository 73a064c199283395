from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition

from services.relay.content import Held
from services.relay.plan import plan

P = TopicPartition("t", 0)


@dataclass(frozen=True)
class Case:
    says: str
    held: Held
    noted: int
    holds: int
    purge: bool = False
    floor: int = 0
    position: int = 100


CASES = [
    Case("nothing was ever published", Held(0, 0, 0, None, None), noted=0, holds=0),
    Case("as it should be", Held(0, 9, 9, 90, 0), noted=90, holds=90),
    Case("a crash before the cursor moved: the note counts", Held(0, 12, 12, 120, 0), noted=90, holds=90),
    Case("made anew and empty", Held(0, 0, 0, None, None), noted=90, holds=0),
    Case("the end is lost", Held(0, 5, 5, 50, 0), noted=90, holds=50),
    Case("made anew, and one record written before we saw it", Held(0, 1, 1, 95, 90), noted=95, holds=0, purge=True),
    Case("the same, seen while writing", Held(0, 1, 0, None, None), noted=90, holds=0, purge=True),
    Case("the end is lost, seen while writing", Held(0, 8, 5, 50, 0), noted=90, holds=50),
    Case("old records have expired", Held(4, 9, 9, 90, None), noted=90, holds=90, floor=40),
    Case("all records have expired", Held(9, 9, 9, None, None), noted=90, holds=90, floor=95),
    Case("all are gone, some should not be", Held(9, 9, 9, None, None), noted=90, holds=40, floor=40),
    Case("made anew after a refill from the floor of that day", Held(0, 5, 5, 90, 40), noted=90, holds=90, floor=45),
    Case("the end is lost, and what came before has expired", Held(4, 5, 5, 30, None), noted=90, holds=40, floor=40),
    Case("a stranger wrote last", Held(0, 9, 9, None, 0), noted=90, holds=90),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.says)
def test_plan(case: Case) -> None:
    made = plan({P: case.held}, {P: case.noted} if case.noted else {}, case.position, case.floor)
    assert made.holds == {P: case.holds}
    assert (P in made.purge) == case.purge
    lacks = case.holds < case.noted
    assert (P in made.lacking) == lacks
    assert made.after == (min(case.position, case.holds) if lacks else case.position)
