"""Twilio's parameters in our words. Unknown words make no fact; nothing here decides whether to believe them."""

from typing import Final
from uuid import UUID

from channels.contract import Heard, InboundRequest
from channels.errors import Malformed
from channels.phone import sender_address
from channels.twilio_request import Params
from schemas.customer import ConsentStated, Stated
from schemas.interaction import (
    Attachment,
    AttachmentName,
    Content,
    DeliveryState,
    InteractionReceived,
    ReceiptReported,
    Recipient,
)

CHANNEL: Final = "sms/twilio"

_STATES: Final[dict[str, DeliveryState]] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}

# https://www.twilio.com/docs/api/errors/21610: the person answered STOP some time ago.
_OPTED_OUT: Final = "21610"
_GRANTS: Final = {"STOP": False, "START": True}

# STOP ends everything from the number that it was sent to, whatever it was about.
_EVERY_PURPOSE: Final = "any"

_CODES: Final = {"FromCountry": "country", "NumSegments": "segments", "MessagingServiceSid": "messaging_service"}
_FIELDS: Final = (
    "ButtonText",
    "ButtonPayload",
    "ListId",
    "ListTitle",
    "Latitude",
    "Longitude",
    "Address",
    "Label",
    "ExternalUserId",
)
_SIDS: Final = ("MessageSid", "SmsSid", "SmsMessageSid")
_MOST_MEDIA: Final = 100

_Media = tuple[tuple[Attachment, AttachmentName], ...]


def is_status(params: Params, purpose: str | None) -> bool:
    """Whether this tells what became of a message of ours. An inbound one may carry the status `received`."""
    return purpose == "status" or params.get("MessageStatus", "received") not in ("received", "receiving")


def message(request: InboundRequest, params: Params, region: str) -> list[Heard]:
    """What a customer wrote, and their consent if Twilio took it for STOP or START."""
    sid = _sid(params)
    address = _address(params, "From", region)
    verified = address.startswith("whatsapp:")
    media = _media(request, params, sid) if params.get("NumMedia", "0") != "0" else ()
    content = _content(params, address, media, region)
    fact = InteractionReceived(
        interaction_id=request.origin.derive(sid, "interaction"),
        kind="message",
        channel=CHANNEL,
        assurance="verified" if verified else "claimed",
        evidence=("whatsapp",) if verified else (),
        attachments=tuple(attachment for attachment, _ in media),
        provider_codes={ours: params[name] for name, ours in _CODES.items() if params.get(name)},
        personal=content,
    )
    heard = [Heard(sid, address, fact)]
    if "OptOutType" in params:
        heard += _opt_out(fact.interaction_id, content, params["OptOutType"], sid)
    return heard


def status(request: InboundRequest, params: Params, region: str) -> list[Heard]:
    """What became of a message of ours, and that the customer forbade messages if that is why."""
    sid = _sid(params)
    reported = params.get("MessageStatus") or params.get("SmsStatus")
    if not reported:
        raise Malformed("MessageStatus is missing.")
    state = _STATES.get(reported)
    if state is None:
        return []
    address = _address(params, "To", region)
    error_code = params.get("ErrorCode") or None
    receipt = ReceiptReported(
        interaction_id=request.origin.derive(sid, "interaction"),
        channel=CHANNEL,
        state=state,
        reported=reported,
        error_code=error_code,
        personal=Recipient(
            address=address, detail=params.get("ErrorMessage") or params.get("ChannelStatusMessage") or None
        ),
    )
    heard = [Heard(f"{sid}/{reported}", address, receipt)]
    if error_code == _OPTED_OUT:
        stop = ConsentStated(
            interaction_id=receipt.interaction_id,
            channel=CHANNEL,
            purpose=_EVERY_PURPOSE,
            granted=False,
            personal=Stated(address=address),
        )
        heard.append(Heard(sid, address, stop))
    return heard


def _content(params: Params, address: str, media: _Media, region: str) -> Content:
    replied = params.get("OriginalRepliedMessageSid")
    return Content(
        address=address,
        recipient=sender_address(params.get("To", ""), region),
        name=params.get("ProfileName") or None,
        text=params.get("Body", ""),
        in_reply_to=(replied,) if replied else (),
        attachments=tuple(name for _, name in media),
        fields={name: params[name] for name in _FIELDS if params.get(name)},
    )


def _opt_out(interaction_id: UUID, content: Content, word: str, sid: str) -> list[Heard]:
    granted = _GRANTS.get(word.upper())
    if granted is None:
        return []
    fact = ConsentStated(
        interaction_id=interaction_id,
        channel=CHANNEL,
        purpose=_EVERY_PURPOSE,
        granted=granted,
        personal=Stated(address=content.address, wording=content.text or None),
    )
    return [Heard(sid, content.address, fact)]


def _media(request: InboundRequest, params: Params, sid: str) -> _Media:
    written = params["NumMedia"]
    if not (written.isascii() and written.isdecimal() and len(written) <= len(str(_MOST_MEDIA))):
        raise Malformed("NumMedia is no number of attachments.")
    return tuple(_attachment(request, params, f"{sid}/{index}", index) for index in range(int(written)))


def _attachment(request: InboundRequest, params: Params, key: str, index: int) -> tuple[Attachment, AttachmentName]:
    attachment_id = request.origin.derive(key, "attachment")
    media_type = params.get(f"MediaContentType{index}") or "application/octet-stream"
    # Twilio tells no size; it is known once the media are fetched.
    held_there = Attachment(attachment_id=attachment_id, media_type=media_type, bytes=0)
    return held_there, AttachmentName(attachment_id=attachment_id, url=params.get(f"MediaUrl{index}") or None)


def _sid(params: Params) -> str:
    for name in _SIDS:
        if sid := params.get(name):
            return sid
    raise Malformed("MessageSid is missing.")


def _address(params: Params, name: str, region: str) -> str:
    address = sender_address(params.get(name, ""), region)
    if address is None:
        raise Malformed(f"{name} is missing.")
    return address
