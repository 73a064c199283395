"""Signatures of the providers that we have a channel for; the others are skipped."""

from datetime import UTC, datetime
from pathlib import Path

from channels.contract import InboundRequest, Origin
from channels.errors import BadSignature
from channels.sms.twilio import Twilio, TwilioConfig
from tests.corpora.contract import Case, Scored, Tally


def score(case: Case, folder: Path) -> Scored | None:  # noqa: ARG001
    given = case["input"]
    if given["scheme"] != "twilio":
        return None
    is_form = "params" in given
    content_type = "application/x-www-form-urlencoded" if is_form else "application/json"
    request = InboundRequest(
        method="POST",
        url=given["url"],
        headers=((given["header"].lower(), given["signature"]), ("content-type", content_type)),
        body=given["body"].encode(),
        received_at=datetime(2026, 1, 1, tzinfo=UTC),
        origin=Origin("corpora", "twilio"),
    )
    tally = Tally()
    tally.equal("valid", case["expect"]["valid"], _passes(given["secret"], request))
    return tally.scored()


def _passes(secret: str, request: InboundRequest) -> bool:
    try:
        Twilio(TwilioConfig.model_validate({"auth_token": secret})).verify(request)
    except BadSignature:
        return False
    return True
