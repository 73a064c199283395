import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator  # pyright: ignore[reportMissingTypeStubs]

from channels.signing import sign_twilio, with_body_digest

TOKEN = "0123456789abcdef"
URL = "https://hub.example.com/hooks/sms/twilio/key?lang=fa"

names = st.text(st.characters(exclude_categories=("Cs",)), max_size=6)
pairs = st.lists(st.tuples(names, names), max_size=12)


@given(pairs)
def test_a_signature_is_the_one_that_the_providers_own_library_makes(params: list[tuple[str, str]]) -> None:
    by_provider = RequestValidator(TOKEN).compute_signature(URL, MultiDict(params))
    assert sign_twilio(TOKEN, URL, params) == by_provider


@pytest.mark.parametrize("url", ["https://hub.example.com/hooks", "https://hub.example.com/hooks?a=1"])
def test_the_providers_own_library_believes_a_body_that_is_covered_by_its_digest(url: str) -> None:
    body = '{"Body": "سلام"}'
    signed = with_body_digest(url, body.encode())
    assert RequestValidator(TOKEN).validate(signed, body, sign_twilio(TOKEN, signed))


def test_the_order_of_parameters_and_their_repeats_do_not_matter() -> None:
    once = [("From", "+98"), ("To", "+44"), ("To", "+1")]
    assert sign_twilio(TOKEN, URL, once) == sign_twilio(TOKEN, URL, [*reversed(once), *once])
