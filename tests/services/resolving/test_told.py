from uuid import UUID

from hypothesis import given as for_each
from hypothesis import settings
from hypothesis import strategies as st

from schemas.event import read_fact
from schemas.fact import join
from services.resolving.outcome import Resolved
from services.resolving.resolve import resolve
from services.resolving.told import resolved
from tests.services.resolving.given import ADDRESSES, given
from tests.services.resolving.table import TABLE

_ROWS = [line for line in TABLE.splitlines() if line and not line.startswith(("#", " "))]


@settings(max_examples=len(_ROWS) * 2, deadline=None)
@for_each(st.sampled_from(_ROWS))
def test_the_whole_resolution_is_kept_and_its_clear_part_names_nobody(row: str) -> None:
    found = resolve(*given(row))
    fact = resolved(UUID(int=7), found)
    assert read_fact(join(fact.clear_json(), fact.personal_json())) == fact
    assert not any(address.encode() in fact.clear_json() for address in ADDRESSES.values())
    assert fact.personal is not None
    assert [(one.address, one.why) for one in fact.personal.rejected] == [(o.address, o.why) for o in found.rejected]
    assert [(one.channel, one.inbox_id, one.code) for one in fact.rejected] == [
        (one.channel, one.inbox_id, one.code) for one in found.rejected
    ]
    assert (fact.channel is not None) == isinstance(found, Resolved)
