"""What a hunt begins with: the tests' own requests, and mails and forms of TAMAS_CORPORA where they are."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from channels.contract import InboundRequest
from tests.channels.chat import recordings
from tests.channels.forms import posts
from tests.channels.hostile import HOSTILE
from tests.channels.samples import SAMPLES, fetched, mail
from tests.channels.sms import requests

_HOSTILE_BYTES: Final = 4096
_MOST_SEED_BYTES: Final = 32 * 1024
_HEADERS: Final = {
    "address": ("From", "To", "Reply-To", "Sender"),
    "date": ("Date",),
    "unstructured": ("Subject",),
    "id": ("Message-ID", "In-Reply-To", "References"),
    "content_type": ("Content-Type", "Content-Disposition"),
    "received": ("Received",),
    "list": ("List-Unsubscribe",),
}


def seeds(name: str) -> tuple[InboundRequest, ...]:
    """Requests for one parser, each once."""
    sample = SAMPLES[name]
    hostile = (make(_HOSTILE_BYTES) for make in HOSTILE[name].values())
    found = (*sample.genuine, *sample.unsigned, *hostile, *_more(name))
    return tuple(dict.fromkeys(one for one in found if len(one.body) <= _MOST_SEED_BYTES))


def _more(name: str) -> Iterator[InboundRequest]:
    match name:
        case "email/smtp":
            yield from map(mail, _mails())
        case "email/imap":
            yield from (fetched(mail(raw)) for raw in _mails())
        case "chat/widget":
            yield from _frames()
        case "forms/web":
            yield replace(posts.json_post({"message": "hi"}), body=b'{"message":"\\ud800","phone":9121234567}')
            yield posts.multipart_post({"message": "hi"}, [("سند.pdf", "application/pdf", b"x"), ("", "", b"")])
        case _:
            yield from _forms(SAMPLES[name].genuine[0])


def _frames() -> Iterator[InboundRequest]:
    base = SAMPLES["chat/widget"].genuine[0]
    for one in (recordings.hello(), recordings.proven("u-42"), recordings.message()):
        yield replace(base, body=json.dumps(one).encode())


def _forms(base: InboundRequest) -> Iterator[InboundRequest]:
    """What Twilio and others post, as peers recorded it."""
    yield replace(base, body=b"&".join(f"{key}={value}".encode() for key, value in requests.MESSAGE.items()))
    for case in (*_cases("chat_chatwoot"), *_cases("voice_sms_vonage")):
        given = case["input"]
        if "twilio" in case["id"] or given.get("path"):
            query = str(given.get("path") or "").partition("?")[2]
            yield replace(base, body=(str(given.get("body") or "") or query).encode())


def _mails() -> Iterator[bytes]:
    """Whole mails, and headers and bodies that are put into one."""
    for folder in ("mime_stalwart", "mime_postal", "mime_chatwoot", "mime_ruby_mail", "mime_oracle"):
        for case in _cases(folder):
            if "input_file" in case:
                yield (_corpora() / folder / case["input_file"]).read_bytes()
    for case in _cases("mime_headers"):
        for header in _HEADERS[case["input"]["header"]]:
            yield f"From: a@b.example\n{header}: {case['input']['value'].rstrip()}\n\nHello\n".encode()
    for folder in ("reply_talon", "reply_crisp", "reply_alfonsrv", "reply_zapier"):
        for case in _cases(folder):
            yield _written(folder, case)


def _written(folder: str, case: dict[str, Any]) -> bytes:
    if "input_file" in case:
        media_type, body = "text/plain", (_corpora() / folder / case["input_file"]).read_bytes()
    else:
        media_type, body = case["input"].get("content_type", "text/plain"), case["input"]["body"].encode()
    return f"From: a@b.example\nContent-Type: {media_type}; charset=utf-8\n\n".encode() + body


def _corpora() -> Path:
    return Path(os.environ.get("TAMAS_CORPORA", "no corpora"))


def _cases(folder: str) -> Iterator[dict[str, Any]]:
    listed = _corpora() / folder / "cases.jsonl"
    if listed.exists():
        yield from (json.loads(line) for line in listed.read_text().split("\n") if line)
