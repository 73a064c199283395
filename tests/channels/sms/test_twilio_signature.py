from dataclasses import replace

import pytest
from pydantic import ValidationError

from channels.contract import InboundRequest
from channels.errors import BadSignature
from channels.signing import sign_twilio, with_body_digest
from channels.sms.twilio import Twilio, TwilioConfig
from tests.channels.sms.requests import AT, CHANNEL, MESSAGE, ORIGIN, TOKEN, URL, body, form

HOST = "https://hub.example.com"
JSON = '{"MessageSid": "SM1", "From": "+989121234567", "Body": "سلام"}'.encode()


@pytest.mark.parametrize(
    ("signed", "called"),
    [
        (f"{HOST}/a?b=1", f"{HOST}/a?b=1"),
        (f"{HOST}:443/a?b=1", f"{HOST}/a?b=1"),
        (f"{HOST}/a?b=1", f"{HOST}:443/a?b=1"),
        (f"{HOST}/a", f"{HOST}:8443/a"),
        (f"{HOST}:8443/a", f"{HOST}:8443/a"),
        ("http://hub.example.com:80/a", "http://hub.example.com/a"),
        ("https://[2001:db8::1]/a", "https://[2001:db8::1]:443/a"),
        ("https://[2001:db8::1]:443/a", "https://[2001:db8::1]/a"),
    ],
)
def test_a_url_is_signed_with_or_without_its_port(signed: str, called: str) -> None:
    CHANNEL.verify(replace(form(MESSAGE, url=signed), url=called))


def test_a_token_that_is_being_changed_still_passes() -> None:
    changing = Twilio(TwilioConfig.model_validate({"auth_token": "new", "auth_token_previous": TOKEN}))
    changing.verify(form(MESSAGE))
    changing.verify(form(MESSAGE, token="new"))
    changed = Twilio(TwilioConfig.model_validate({"auth_token": "new"}))
    with pytest.raises(BadSignature):
        changed.verify(form(MESSAGE))


def test_json_is_covered_by_its_digest_in_the_url() -> None:
    CHANNEL.verify(body(JSON, url=with_body_digest(URL, JSON)))


def test_a_get_is_covered_by_its_url() -> None:
    url = f"{URL}?MessageSid=SM1&From=%2B989121234567"
    signature = sign_twilio(TOKEN, url)
    request = InboundRequest("GET", url, (("x-twilio-signature", signature),), b"", AT, ORIGIN)
    CHANNEL.verify(request)
    assert [heard.address for heard in CHANNEL.parse(request)] == ["tel:+989121234567"]


def _unsigned(request: InboundRequest) -> InboundRequest:
    return replace(request, headers=request.headers[:1])


@pytest.mark.parametrize(
    "forged",
    [
        _unsigned(form(MESSAGE)),
        replace(form(MESSAGE), url=f"{URL}?extra=1"),
        replace(form(MESSAGE), url="https://hub.example.com:99999/a"),
        replace(form(MESSAGE), body=form(MESSAGE | {"Body": "other"}).body),
        replace(form(MESSAGE), headers=(form(MESSAGE).headers[0], ("x-twilio-signature", "é" * 28))),
        replace(form(MESSAGE), headers=(form(MESSAGE).headers[0], ("x-twilio-signature", ""))),
        form(MESSAGE, token="other"),
        body(JSON, url=URL),
        body(JSON + b" ", url=with_body_digest(URL, JSON)),
        replace(form({}), headers=(("content-type", "application/json"), form({}).headers[1]), body=JSON),
    ],
)
def test_what_was_not_signed_as_it_came_is_refused(forged: InboundRequest) -> None:
    with pytest.raises(BadSignature):
        CHANNEL.verify(forged)


@pytest.mark.parametrize(
    "settings", [{}, {"auth_token": ""}, {"auth_token": "a", "region": "iran"}, {"auth_token": "a", "tokn": "b"}]
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        TwilioConfig.model_validate(settings)


def test_a_token_is_never_shown() -> None:
    assert TOKEN not in repr(CHANNEL)
