from dataclasses import replace
from urllib.parse import urlencode

import pytest

from channels.contract import Origin
from channels.errors import BadSignature
from tests.channels.forms.posts import FORM, ORIGIN, SECRET, form, json_post, multipart_post, page_post, token


@pytest.mark.parametrize("age_seconds", [-30, 0, 86_400])
def test_a_token_of_this_form_passes(age_seconds: int) -> None:
    content = urlencode({"token": token(age_seconds=age_seconds)}).encode()
    FORM.verify(replace(page_post({}), body=content))


def test_a_page_passes_however_it_is_sent() -> None:
    FORM.verify(page_post({"message": "x"}))
    FORM.verify(multipart_post({"message": "x"}, [("a", "text/plain", b"x")]))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "1.2.3",
        token()[:-1],
        token()[:-1] + ("A" if token()[-1] != "A" else "E"),
        "9" + token(),
        token(age_seconds=86_401),
        token(age_seconds=-61),
        token(origin=Origin("other", ORIGIN.inbox)),
        token(origin=Origin(ORIGIN.tenant, "form:other")),
        token(secret=SECRET + "!"),
    ],
)
def test_any_other_token_is_refused(wrong: str) -> None:
    with pytest.raises(BadSignature):
        FORM.verify(replace(page_post({}), body=urlencode({"token": wrong}).encode()))
    if wrong:
        with pytest.raises(BadSignature):
            FORM.verify(json_post({"token": wrong}))


def test_json_needs_a_token_only_where_the_form_says_so() -> None:
    FORM.verify(json_post({"message": "x"}))
    strict = form(require_token="true")
    with pytest.raises(BadSignature):
        strict.verify(json_post({"message": "x"}))
    strict.verify(json_post({"message": "x", "token": token()}))


def test_what_cannot_be_read_holds_no_token() -> None:
    with pytest.raises(BadSignature):
        FORM.verify(replace(page_post({}), headers=(("content-type", "text/plain"),)))
