from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.reference import parse_reference, reference

ID = UUID("3cc7415f-ad12-5345-8678-9abcdef01234")


def test_a_reference() -> None:
    assert reference(ID) == "7K3M-2QXD"


@given(st.uuids())
def test_a_reference_leads_back_to_its_event(event_id: UUID) -> None:
    lowest, highest = parse_reference(reference(event_id))
    assert lowest <= event_id <= highest


@pytest.mark.parametrize("written", ["7k3m-2qxd", "7K3M 2QXD", "۷K۳M۲QXD", " 7K3M2QXD\u200f"])
def test_a_reference_as_people_write_it(written: str) -> None:
    lowest, _ = parse_reference(written)
    assert reference(lowest) == "7K3M-2QXD"


def test_letters_that_look_like_digits_are_those() -> None:
    assert parse_reference("OIL0-1111") == parse_reference("0110-1111")


@pytest.mark.parametrize("written", ["", "7K3M", "7K3M-2QXDD", "7K3M-2QXU", "7K3M-2QX!", "سلام سلام"])
def test_what_is_no_reference_says_so(written: str) -> None:
    with pytest.raises(ValueError, match=r"^A reference has"):
        parse_reference(written)
