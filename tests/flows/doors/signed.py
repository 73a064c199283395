"""A form post as Twilio signs it."""

from collections.abc import Sequence
from urllib.parse import urlencode

import httpx

from channels.signing import sign_twilio
from tests.flows.doors.opened import AUTH_TOKEN


def post_signed(client: httpx.Client, url: str, params: Sequence[tuple[str, str]]) -> tuple[int, bool]:
    """The status, and whether it was known."""
    signature = sign_twilio(AUTH_TOKEN, url, params)
    headers = {"x-twilio-signature": signature, "content-type": "application/x-www-form-urlencoded"}
    return told(client.post(url, content=urlencode(params), headers=headers))


def told(answer: httpx.Response) -> tuple[int, bool]:
    """The status, and whether it was known."""
    return answer.status_code, answer.headers.get("tamas-result") == "duplicate"
