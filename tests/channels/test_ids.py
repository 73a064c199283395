"""Derived ids: uuid5's, made in half its time."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from channels.contract import Origin

NAMESPACE = UUID("5f0f9a3e-6c1d-5b7e-9a55-7a3d0c4b1e21")
TEXTS = st.text(max_size=60)


@given(tenant=TEXTS, inbox=TEXTS, source_key=TEXTS, kind=TEXTS)
def test_an_id_is_the_version_5_of_its_names(tenant: str, inbox: str, source_key: str, kind: str) -> None:
    expected = uuid5(NAMESPACE, f"{tenant}\0{inbox}\0{source_key}\0{kind}")
    made = Origin(tenant, inbox).derive(source_key, kind)
    assert made == expected
    assert (made.version, made.variant, made.bytes) == (expected.version, expected.variant, expected.bytes)


def test_an_id_stays_what_it_was() -> None:
    made = Origin("acme", "twilio:+982191000000").derive("SM1", "interaction.received")
    assert made == UUID("7e6d2061-c7e1-5092-ae21-ebaa040f9ca5")
