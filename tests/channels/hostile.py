"""Requests that are made to cost time, for every registered channel, each of a given size."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from channels.contract import InboundRequest
from tests.channels.chat import recordings
from tests.channels.email.hostile_mails import MAILS, numbered, repeated
from tests.channels.forms import posts
from tests.channels.samples import fetched, mail
from tests.channels.sms import requests
from tests.channels.voice import requests as calls

Maker = Callable[[int], InboundRequest]

_URLENCODED: Final = "application/x-www-form-urlencoded"
_MULTIPART: Final = "multipart/form-data; boundary=b"
_MESSAGE: Final = urlencode(requests.MESSAGE).encode()


def _mail(make: Callable[[int], bytes]) -> Maker:
    return lambda size: mail(make(size))


def _fetched(make: Callable[[int], bytes]) -> Maker:
    return lambda size: fetched(mail(make(size)))


def _posted(base: InboundRequest, content_type: str, start: bytes, rest: Callable[[int], bytes], end: bytes) -> Maker:
    def make(size: int) -> InboundRequest:
        body = start + rest(size - len(start) - len(end)) + end
        return replace(base, headers=(("content-type", content_type),), body=body)

    return make


def _form(content_type: str, start: bytes, rest: Callable[[int], bytes], end: bytes = b"") -> Maker:
    return _posted(posts.page_post({}), content_type, start, rest, end)


def _sms(content_type: str, start: bytes, rest: Callable[[int], bytes], end: bytes = b"") -> Maker:
    return _posted(requests.form(requests.MESSAGE), content_type, start, rest, end)


def _call(content_type: str, start: bytes, rest: Callable[[int], bytes], end: bytes = b"") -> Maker:
    return _posted(calls.form(calls.ANSWER), content_type, start, rest, end)


def _said(start: bytes, rest: Callable[[int], bytes], end: bytes = b"") -> Maker:
    return _posted(recordings.recording(recordings.hello()), "application/json", start, rest, end)


def _again(piece: bytes) -> Callable[[int], bytes]:
    return lambda size: repeated(piece, size)


def _count(template: str) -> Callable[[int], bytes]:
    return lambda size: numbered(template, size)


_ANSWER: Final = urlencode(calls.ANSWER).encode()
_JSON_ANSWER: Final = json.dumps(calls.ANSWER).encode()[:-1]
_FRAMES: Final = json.dumps([recordings.hello(), recordings.welcome()]).encode()[:-1] + b","
_FRAME: Final = ',{"t":"message","id":"0b0e7e2c-3b1f-4c8e-9f5a-7d8f3f1f2a11","text":"{}"}'
_LINE: Final = _FRAME.replace('"text":"{}"', '"from":"agent","number":{}') + ',{"t":"seen","number":0}'
_TEXT: Final = b'{"t":"message","id":"0b0e7e2c-3b1f-4c8e-9f5a-7d8f3f1f2a11","text":"'
_JSON_MESSAGE: Final = json.dumps(requests.MESSAGE).encode()[:-1]
_NESTED_LISTS: Final = b'{"message": "hi", "order": '

_FORMS: Final[Mapping[str, Maker]] = {
    "fields": _form(_URLENCODED, b"message=hi", _count("&f{}=1")),
    "fields without values": _form(_URLENCODED, b"message=hi", _again(b"&a")),
    "one field again and again": _form(_URLENCODED, b"message=hi", _again(b"&order=1")),
    "ampersands": _form(_URLENCODED, b"message=hi", _again(b"&")),
    "escapes": _form(_URLENCODED, b"message=", _again(b"%D8%B3")),
    "escapes that are no UTF-8": _form(_URLENCODED, b"message=", _again(b"%FF")),
    "escapes that are none": _form(_URLENCODED, b"message=", _again(b"%x%")),
    "names of escapes": _form(_URLENCODED, b"message=hi", _again(b"&%FF=%FF")),
    "pluses": _form(_URLENCODED, b"message=", _again(b"+")),
    "line ends": _form(_URLENCODED, b"message=", _again(b"%0D%0A%0D")),
    "control characters": _form(_URLENCODED, b"message=", _again(b"%01")),
    "a long telephone number": _form(_URLENCODED, b"message=hi&phone=", _again(b"1-(")),
    "a long mail address": _form(_URLENCODED, b"message=hi&email=", _again(b"a@b.")),
    "quotation marks in a mail address": _form(_URLENCODED, b"message=hi&email=", _again(b'"(')),
    "a long token": _form(_URLENCODED, b"message=hi&token=", _again(b"a.")),
    "a long text": _form(_URLENCODED, b"message=", _again(b"a")),
    "fields of JSON": _form("application/json", b'{"message": "hi"', _count(',"f{}":1'), b"}"),
    "nested lists": _form("application/json", _NESTED_LISTS, _again(b"[")),
    "nested objects": _form("application/json", _NESTED_LISTS, _again(b'{"a":')),
    "a long number": _form("application/json", _NESTED_LISTS, _again(b"9"), b"}"),
    "escapes of JSON": _form(
        "application/json", b'{"message": "', lambda size: repeated(b"\\u0633", size // 6 * 6), b'"}'
    ),
    "half pairs of JSON": _form(
        "application/json", b'{"message": "', lambda size: repeated(b"\\ud800", size // 6 * 6), b'"}'
    ),
    "boundaries": _form(_MULTIPART, b"--b\r\n", _again(b"\r\n--b\r\n")),
    "parts": _form(
        _MULTIPART, b"", _again(b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'), b"--b--\r\n"
    ),
    "files": _form(
        _MULTIPART, b"", _again(b"--b\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n1\r\n"), b"--b--"
    ),
    "header fields of a part": _form(_MULTIPART, b"--b\r\n", _count("a{}: b\r\n"), b"\r\n\r\n1\r\n--b--\r\n"),
    "parameters of a part": _form(
        _MULTIPART, b"--b\r\nContent-Disposition: form-data", _count("; a{}=b"), b"\r\n\r\n1\r\n--b--\r\n"
    ),
    "quotation marks in a parameter": _form(
        _MULTIPART, b'--b\r\nContent-Disposition: form-data; name="', _again(b'\\"'), b"\r\n\r\n1\r\n--b--\r\n"
    ),
    "hyphens": _form(_MULTIPART, b"--b\r\n\r\n", _again(b"\r\n--")),
    "carriage returns": _form(_MULTIPART, b"--b\r\n\r\n", _again(b"\r")),
    "header value of one byte each": _form(_MULTIPART, b"--b\r\nA", _again(b":")),
}

_SMS: Final[Mapping[str, Maker]] = {
    "fields": _sms(_URLENCODED, _MESSAGE, _count("&f{}=1")),
    "fields without values": _sms(_URLENCODED, _MESSAGE, _again(b"&a")),
    "ampersands": _sms(_URLENCODED, _MESSAGE, _again(b"&")),
    "escapes": _sms(_URLENCODED, _MESSAGE + b"&Body=", _again(b"%D8%B3")),
    "escapes that are no UTF-8": _sms(_URLENCODED, _MESSAGE + b"&Body=", _again(b"%FF")),
    "names of escapes": _sms(_URLENCODED, _MESSAGE, _again(b"&%FF=%FF")),
    "a leading question mark": _sms(_URLENCODED, b"?" + _MESSAGE, _again(b"&a=%D8")),
    "NUL": _sms(_URLENCODED, _MESSAGE + b"&Body=", _again(b"%00")),
    "a long sender": _sms(_URLENCODED, _MESSAGE + b"&From=%2B", _again(b"1")),
    "a sender of punctuation": _sms(_URLENCODED, _MESSAGE + b"&From=", _again(b"1-(")),
    "a long recipient": _sms(_URLENCODED, _MESSAGE + b"&To=whatsapp:", _again(b"+1")),
    "a long number of media": _sms(_URLENCODED, _MESSAGE + b"&NumMedia=", _again(b"9")),
    "many media": _sms(_URLENCODED, _MESSAGE + b"&NumMedia=100", _count("&MediaUrl{}=https://a.example/")),
    "a long id": _sms(_URLENCODED, _MESSAGE + b"&MessageSid=", _again(b"a")),
    "a long status": _sms(_URLENCODED, _MESSAGE + b"&MessageStatus=failed&ErrorMessage=", _again(b"a")),
    "fields of JSON": _sms("application/json", _JSON_MESSAGE, _count(',"f{}":1'), b"}"),
    "nested lists": _sms("application/json", _JSON_MESSAGE + b',"Body":', _again(b"[")),
    "lists in lists": _sms("application/json", _JSON_MESSAGE + b',"Body":[', _again(b"[],"), b"[]]}"),
    "objects": _sms(
        "application/json", _JSON_MESSAGE + b',"Body":[', lambda size: repeated(b'{"a":1},', size // 8 * 8), b"1]}"
    ),
}

_CALLS: Final[Mapping[str, Maker]] = {
    "fields": _call(_URLENCODED, _ANSWER, _count("&f{}=1")),
    "escapes that are no UTF-8": _call(_URLENCODED, _ANSWER + b"&CallerName=", _again(b"%FF")),
    "a long caller": _call(_URLENCODED, _ANSWER + b"&From=%2B", _again(b"1")),
    "a caller of punctuation": _call(_URLENCODED, _ANSWER + b"&From=", _again(b"1-(")),
    "a long SIP address": _call(_URLENCODED, _ANSWER + b"&From=sip:", _again(b"a@b;c=")),
    "a long id": _call(_URLENCODED, b"CallStatus=ringing&CallSid=", _again(b"a")),
    "a long duration": _call(_URLENCODED, _ANSWER + b"&CallStatus=completed&CallDuration=", _again(b"9")),
    "a long URL of a recording": _call(_URLENCODED, _ANSWER + b"&RecordingSid=RE1&RecordingUrl=", _again(b"a/")),
    "fields of JSON": _call("application/json", _JSON_ANSWER, _count(',"f{}":1'), b"}"),
    "nested lists": _call("application/json", _JSON_ANSWER + b',"CallerName":', _again(b"[")),
}

_CHATS: Final[Mapping[str, Maker]] = {
    "a long text": _said(_FRAMES + _TEXT, _again(b"a"), b'"}]'),
    "messages": _said(_FRAMES[:-1], _count(_FRAME), b"]"),
    "lines that nobody has seen": _said(_FRAMES[:-1], _count(_LINE), b"]"),
    "frames of no kind": _said(_FRAMES + b"{}", _again(b",{}"), b"]"),
    "nested lists": _said(b"", _again(b"[")),
    "nested objects": _said(b"[", _again(b'{"t":')),
    "a long visitor": _said(b'[{"t":"hello","visitor":"', _again(b"u"), b'"}]'),
    "half pairs": _said(b'[{"t":"hello","visitor":"', lambda size: repeated(b"\\ud800", size // 6 * 6), b'"}]'),
    "a long number": _said(b'[{"t":"hello","after":', _again(b"9"), b"}]"),
}

HOSTILE: Final[Mapping[str, Mapping[str, Maker]]] = {
    "chat/widget": _CHATS,
    "email/imap": {name: _fetched(make) for name, make in MAILS.items()},
    "email/smtp": {name: _mail(make) for name, make in MAILS.items()},
    "forms/web": _FORMS,
    "sms/twilio": _SMS,
    "voice/twilio": _CALLS,
}
