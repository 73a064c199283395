"""Recorded requests signed as their providers sign, for the developers of gateways. One function a channel."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, cast

import orjson

from channels.chat.widget import DRAWN, Widget
from channels.chat.widget_frames import listed
from channels.contract import Channel, Origin
from channels.errors import Malformed
from channels.forms.web import WebForm
from channels.signing import sign_twilio, visitor_proof, with_body_digest
from channels.sms.twilio import Twilio
from channels.urlencoded import read_pairs
from channels.voice.twilio import TwilioVoice
from services.record.errors import Refused

_FORM: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request on its way to a door of ours; `added` is what shows that it comes from the provider."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    added: tuple[tuple[str, str], ...] = ()

    @property
    def media_type(self) -> str:
        """Lower case, without parameters; a form when nothing is said."""
        written = next((value for name, value in self.headers if name == "content-type"), _FORM)
        return written.partition(";")[0].strip().lower()


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a signature may need beside the request. `nonce`: 8 to 64 characters of URL-safe base64."""

    origin: Origin
    at: datetime
    nonce: str


def signed(channel: str, handler: Channel, request: Outgoing, stamp: Stamp) -> Outgoing:
    """The request as its provider would send it.

    Raises:
        Refused: this channel's senders sign nothing.
    """
    sign = SIGNERS.get(channel)
    if sign is None:
        raise Refused(f"Whoever sends to {channel} signs nothing: there is nothing to add.")
    return sign(handler, request, stamp)


def _twilio(handler: Channel, request: Outgoing, _: Stamp) -> Outgoing:
    config = cast("Twilio | TwilioVoice", handler).config
    is_form = request.method != "GET" and request.media_type == _FORM
    url = request.url
    if request.body and not is_form and "bodySHA256=" not in url:
        url = with_body_digest(url, request.body)
    params = read_pairs(request.body) if is_form else ()
    signature = sign_twilio(config.auth_token.get_secret_value(), url, params)
    kept = tuple(pair for pair in request.headers if pair[0] != "x-twilio-signature")
    proof = ("X-Twilio-Signature", signature)
    return replace(request, url=url, headers=(*kept, ("x-twilio-signature", signature)), added=(proof,))


def _web_form(handler: Channel, request: Outgoing, stamp: Stamp) -> Outgoing:
    form = cast("WebForm", handler)
    issued_at = stamp.at - timedelta(seconds=form.config.minimum_fill_seconds)
    token = form.token(stamp.origin, issued_at, stamp.nonce)
    return replace(request, body=_with_token(request, token), added=(("token", token),))


def _with_token(request: Outgoing, token: str) -> bytes:
    match request.media_type:
        case "application/json":
            try:
                found = orjson.loads(request.body)
            except orjson.JSONDecodeError as error:
                raise Malformed(f"The body is no JSON: {error.msg} at byte {error.pos}") from error
            return orjson.dumps({**cast("dict[str, Any]", found), "token": token})
        case "multipart/form-data":
            start = request.body.partition(b"\r\n")[0]
            part = start + b'\r\nContent-Disposition: form-data; name="token"\r\n\r\n' + token.encode() + b"\r\n"
            return part + request.body
        case _:
            return b"&".join(filter(None, (request.body, b"token=" + token.encode())))


def _widget(handler: Channel, request: Outgoing, _: Stamp) -> Outgoing:
    key = cast("Widget", handler).config.proof_key
    hello, others = listed(request.body)
    visitor = hello.get("visitor")
    if key is None or not isinstance(visitor, str) or (DRAWN.fullmatch(visitor) and not hello.get("proof")):
        return request
    proof = visitor_proof(key.get_secret_value(), visitor)
    return replace(request, body=orjson.dumps([{**hello, "proof": proof}, *others]), added=(("proof", proof),))


SIGNERS: Final[dict[str, Callable[[Channel, Outgoing, Stamp], Outgoing]]] = {
    "sms/twilio": _twilio,
    "voice/twilio": _twilio,
    "forms/web": _web_form,
    "chat/widget": _widget,
}
