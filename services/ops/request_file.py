"""Recorded requests: `.http` (a raw request), `.eml` (a mail), `.json` (a payload, or a request described in JSON)."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.utils import parseaddr
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

import orjson

from channels.errors import Malformed

_REQUEST_LINE: Final = re.compile(rb"([A-Z]{3,10}) (\S+)(?: HTTP/[0-9.]+)?\s*")
_LINE_END: Final = re.compile(rb"\r?\n")
_HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
_FORM: Final = "application/x-www-form-urlencoded"
_DOOR: Final = re.compile(r"/(?:hooks/[^/]+/[^/]+|forms)/[^/]+(/[^?#]*)?")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A request from a file. `target` is a path or a whole URL; of a mail `mailto:` and its first recipient."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def is_mail(self) -> bool:
        """It goes to the mail door."""
        return self.method == "MAIL"

    def header(self, name: str) -> str | None:
        """The first header of this (lower-case) name."""
        return next((value for key, value in self.headers if key == name), None)

    def crlf(self) -> bytes:
        """The body of a mail with the line ends that it travels with (RFC 5321)."""
        return _LINE_END.sub(b"\r\n", self.body)

    def url(self) -> str:
        """As it was called, by the request line and the Host header."""
        if "://" in self.target or self.is_mail:
            return self.target
        return f"https://{self.header('host') or 'localhost'}{self.target}"

    def suffix(self) -> str:
        """What comes after the key of the door that it was recorded at: purpose and query."""
        parts = urlsplit(self.target)
        found = _DOOR.fullmatch(parts.path)
        return (found[1] or "" if found else "") + (f"?{parts.query}" if parts.query else "")


def read(path: Path) -> Recorded:
    """Read by the file's ending, else by what it begins with.

    Raises:
        Malformed: it cannot be read, or is none of the three.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Malformed(f"{path}: {error.strerror}") from error
    match path.suffix.lower():
        case ".eml":
            return _mail(content)
        case ".json":
            return _json(path, content)
        case _ if _REQUEST_LINE.match(_without_comments(content)):
            return _http(_without_comments(content))
        case _:
            raise Malformed(f"{path}: no recorded request: it is neither .http, .eml nor .json")


def _without_comments(content: bytes) -> bytes:
    while content.startswith((b"#", b"\n", b"\r\n")):
        content = content.partition(b"\n")[2]
    return content


def _http(content: bytes) -> Recorded:
    head, body = [*_HEAD_END.split(content, maxsplit=1), b""][:2]
    first, *lines = head.splitlines()
    found = cast("re.Match[bytes]", _REQUEST_LINE.match(first))
    headers = tuple(_header(line) for line in lines)
    length = next((value for name, value in headers if name == "content-length"), "")
    kind = next((value for name, value in headers if name == "content-type"), _FORM)
    if length.isdecimal():
        body = body[: int(length)]
    elif kind.startswith((_FORM, "application/json")):
        body = body.rstrip(b"\r\n")  # the line end that editors put at the end of a file
    return Recorded(found[1].decode(), found[2].decode("utf-8", "replace"), headers, body)


def _header(line: bytes) -> tuple[str, str]:
    name, separator, value = line.decode("utf-8", "replace").partition(":")
    if not separator:
        raise Malformed(f"{name[:40]!r} is no header: there is no colon in it")
    return name.strip().lower(), value.strip()


def _mail(content: bytes) -> Recorded:
    headers = BytesHeaderParser().parsebytes(content)
    sender = parseaddr(str(headers.get("Return-Path") or headers.get("From") or ""))[1]
    to = parseaddr(str(headers.get("Delivered-To") or headers.get("To") or ""))[1]
    envelope = (("mail-from", sender), ("rcpt-to", to), ("received-from", "127.0.0.1"))
    return Recorded("MAIL", f"mailto:{to}", envelope, content)


def _json(path: Path, content: bytes) -> Recorded:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"{path}: no JSON: {error.msg} at byte {error.pos}") from error
    if isinstance(found, dict):
        described = cast("dict[str, Any]", found)
        if "method" in described and ("url" in described or "path" in described):
            try:
                return _described(described)
            except (ValueError, TypeError, AttributeError) as error:
                raise Malformed(f"{path}: it describes no request: {error}") from error
    return Recorded("POST", "/", (("content-type", "application/json"),), content.rstrip(b"\r\n"))


def _described(found: Mapping[str, Any]) -> Recorded:
    given_headers: Mapping[str, Any] = found.get("headers") or {}
    headers = {name.lower(): str(value) for name, value in given_headers.items()}
    if "form" in found:
        headers.setdefault("content-type", _FORM)
        body = urlencode(found["form"], doseq=True).encode()
    elif "body_base64" in found:
        body = b64decode(found["body_base64"], validate=True)
    else:
        given = found.get("body") or ""
        body = given.encode() if isinstance(given, str) else orjson.dumps(given)
    target = str(found.get("url") or found["path"])
    return Recorded(str(found["method"]).upper(), target, tuple(headers.items()), body)
