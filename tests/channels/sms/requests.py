"""Requests as Twilio makes them."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from channels.contract import InboundRequest, Origin
from channels.signing import sign_twilio
from channels.sms.twilio import Twilio, TwilioConfig

TOKEN = "0123456789abcdef0123456789abcdef"
URL = "https://hub.example.com/hooks/sms/twilio/k3y"
ORIGIN = Origin("acme", "twilio:+982191000000")
SID = "SM0123456789abcdef0123456789abcdef"
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)

CHANNEL = Twilio(TwilioConfig.model_validate({"auth_token": TOKEN, "address": "+982191000000"}))

MESSAGE = {
    "ToCountry": "IR",
    "SmsMessageSid": SID,
    "NumMedia": "0",
    "SmsSid": SID,
    "FromCity": "TEHRAN",
    "SmsStatus": "received",
    "FromCountry": "IR",
    "To": "+982191000000",
    "Body": "سلام + سفارش ۱۲۳ کجاست؟",
    "NumSegments": "1",
    "MessageSid": SID,
    "AccountSid": "AC0123456789abcdef0123456789abcdef",
    "From": "+989121234567",
    "ApiVersion": "2010-04-01",
}
STATUS = {
    "MessageSid": SID,
    "SmsSid": SID,
    "SmsStatus": "delivered",
    "MessageStatus": "delivered",
    "To": "+989121234567",
    "From": "+982191000000",
    "AccountSid": "AC0123456789abcdef0123456789abcdef",
}


def form(params: dict[str, str], *, purpose: str | None = None, url: str = URL, token: str = TOKEN) -> InboundRequest:
    """A signed form post."""
    headers = (
        ("content-type", "application/x-www-form-urlencoded"),
        ("x-twilio-signature", sign_twilio(token, url, params.items())),
    )
    return InboundRequest("POST", url, headers, urlencode(params).encode(), AT, ORIGIN, purpose)


def body(content: bytes, *, url: str, token: str = TOKEN) -> InboundRequest:
    """A signed post of another type than a form."""
    headers = (("content-type", "application/json"), ("x-twilio-signature", sign_twilio(token, url)))
    return InboundRequest("POST", url, headers, content, AT, ORIGIN)
