"""A short fuzz of every parser with fixed seeds, and that the fuzzer sees a fault when there is one."""

from random import Random
from typing import Any

import pytest

from channels.contract import InboundRequest
from tests.channels.samples import SAMPLES, channel
from tests.fuzz import broken, is_fault, outcome


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_broken_requests_end_in_events_or_a_named_refusal(name: str) -> None:
    chance = Random(3)  # noqa: S311 - the same requests each time
    for request in SAMPLES[name].genuine * 200:
        found = outcome(channel(name), broken(request, chance))
        assert not is_fault(found), found


def test_a_parser_that_breaks_is_noticed() -> None:
    class Breaks:
        acks: Any = None

        def verify(self, request: InboundRequest) -> None: ...

        def parse(self, request: InboundRequest) -> list[Any]:
            raise KeyError(request.method)

    assert is_fault(outcome(Breaks(), SAMPLES["sms/twilio"].genuine[0]))
