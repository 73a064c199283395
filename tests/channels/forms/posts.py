"""Posts as browsers and programs make them."""

import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from channels.contract import InboundRequest, Origin
from channels.forms.web import WebForm, WebFormConfig

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
ORIGIN = Origin("acme", "form:contact")
URL = "https://hub.example.com/forms/k3y"
SECRET = "a secret of sixteen"
NONCE = "n0nce-n0nce-n0nce"

FIELDS = [
    {"name": "name", "label": {"fa": "نام", "en": "Name"}, "maps_to": "name"},
    {"name": "email", "label": "Email", "type": "email", "maps_to": "address"},
    {"name": "phone", "label": "Phone", "type": "tel", "maps_to": "address"},
    {"name": "topic", "label": "Topic", "maps_to": "subject", "max_length": 20},
    {
        "name": "message",
        "label": {"fa": "پیام", "en": "Message"},
        "type": "textarea",
        "required": True,
        "maps_to": "text",
    },
    {
        "name": "reply_by",
        "label": "Answer me by",
        "type": "choice",
        "maps_to": "preferred_channel",
        "choices": [{"value": "sms", "label": "SMS"}, {"value": "email", "label": "Email"}],
    },
    {"name": "news", "label": {"fa": "خبرنامه", "en": "News"}, "type": "checkbox", "maps_to": "consent"},
    {"name": "order", "label": "Order number", "hint": "On the invoice"},
]
FORM_FIELDS = json.dumps(FIELDS)


def form(**settings: str) -> WebForm:
    return WebForm(WebFormConfig.model_validate({"token_secret": SECRET, "fields": FORM_FIELDS, **settings}))


FORM = form(consent_wording_version="2026-01")


def token(*, age_seconds: int = 30, origin: Origin = ORIGIN, secret: str = SECRET) -> str:
    return form(token_secret=secret).token(origin, AT - timedelta(seconds=age_seconds), NONCE)


def page_post(values: dict[str, str], *, origin: Origin = ORIGIN) -> InboundRequest:
    headers = (("content-type", "application/x-www-form-urlencoded"),)
    return InboundRequest("POST", URL, headers, urlencode({"token": token(), **values}).encode(), AT, origin)


def json_post(values: dict[str, object], *headers: tuple[str, str]) -> InboundRequest:
    content = json.dumps(values, ensure_ascii=False).encode()
    return InboundRequest("POST", URL, (("content-type", "application/json"), *headers), content, AT, ORIGIN)


def multipart_post(values: dict[str, str], files: list[tuple[str, str, bytes]]) -> InboundRequest:
    parts = [
        f'--b0undary\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in {"token": token(), **values}.items()
    ]
    parts += [
        f'--b0undary\r\nContent-Disposition: form-data; name="attachments"; filename="{name}"\r\n'
        f"Content-Type: {media_type}\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, media_type, content in files
    ]
    headers = (("content-type", 'multipart/form-data; boundary="b0undary"'),)
    return InboundRequest("POST", URL, headers, b"".join(parts) + b"--b0undary--\r\n", AT, ORIGIN)
