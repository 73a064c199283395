"""Signatures of the providers that we have a channel for; the others are skipped."""

from datetime import UTC, datetime
from pathlib import Path

from channels.contract import InboundRequest, Origin
from channels.errors import BadSignature
from services.tenancy.handlers import build_without
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
    for name in ("sms/twilio", "voice/twilio"):
        tally.equal(f"valid for {name}", case["expect"]["valid"], _passes(name, given["secret"], request))
    return tally.scored()


def _passes(name: str, secret: str, request: InboundRequest) -> bool:
    try:
        build_without(name, {"auth_token": secret}, {}).verify(request)
    except BadSignature:
        return False
    return True
