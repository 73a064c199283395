"""Mails that are made to cost time: each of a given size, each the worst of its kind."""

import base64
from collections.abc import Callable, Mapping
from itertools import count
from typing import Final

Maker = Callable[[int], bytes]

_START: Final = b"From: a@b.example\r\nTo: c@d.example\r\nMessage-ID: <1@b.example>\r\nMIME-Version: 1.0\r\n"
_HTML: Final = _START + b"Content-Type: text/html; charset=utf-8\r\n\r\n"
_PLAIN: Final = _START + b"Content-Type: text/plain; charset=utf-8\r\n\r\n"


def repeated(piece: bytes, size: int) -> bytes:
    """`piece` again and again, `size` bytes."""
    return (piece * (size // len(piece) + 1))[:size]


def numbered(template: str, size: int) -> bytes:
    """`template` again and again, each with its own number in the place of `{}`."""
    out: list[bytes] = []
    length = 0
    for number in count():
        piece = template.replace("{}", str(number)).encode()
        length += len(piece)
        if length > size:
            return b"".join(out)
        out.append(piece)
    return b""


def _field(name: str, piece: bytes) -> Maker:
    """One header field of the whole size."""
    return lambda size: _START.replace(name.encode() + b":", b"X-Was:") + _filled(name, piece, size) + b"\r\n\r\nhi\r\n"


def _filled(name: str, piece: bytes, size: int) -> bytes:
    return name.encode() + b": " + repeated(piece, min(size, 900_000)).replace(b"\r", b" ").rstrip(b"\n")


def _fields(template: str) -> Maker:
    """As many header fields as there is room for, at most the 1 MiB that a header block may have."""
    return lambda size: _START + numbered(template, min(size, 1_000_000)) + b"\r\nhi\r\n"


def _html(piece: bytes) -> Maker:
    return lambda size: _HTML + repeated(piece, size)


def _plain(piece: bytes) -> Maker:
    return lambda size: _PLAIN + repeated(piece, size)


def _encoded(encoding: bytes, piece: bytes, kind: bytes = b"text/plain") -> Maker:
    head = _START + b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n"
    return lambda size: head + repeated(piece, size)


def _charset(name: bytes, piece: bytes) -> Maker:
    head = _START + b"Content-Type: text/plain; charset=" + name + b"\r\n\r\n"
    return lambda size: head + repeated(piece, size)


def _mixed(piece: bytes, kind: bytes = b"multipart/mixed; boundary=b") -> Maker:
    return lambda size: _START + b"Content-Type: " + kind + b"\r\n\r\n" + repeated(piece, size) + b"\r\n--b--\r\n"


def _nested(levels: int, *, is_closed: bool) -> Maker:
    """A multipart in a multipart in a multipart … and text for the rest of the size."""

    def make(size: int) -> bytes:
        opened = b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels)
        )
        closed = b"".join(b"\r\n--b%d--" % n for n in reversed(range(levels))) if is_closed else b""
        return _START + opened + b"\r\n" + repeated(b"--b\r\n", size) + closed

    return make


def _nested_prefixes(size: int) -> bytes:
    names = [b"b" * n for n in range(1, 50)]
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=%b\r\n\r\n--%b\r\n" % (name, name) for name in names)
    return _START + opened + b"\r\n" + repeated(b"--" + names[-1] + b"x\r\n", size)


def _nested_mails(size: int) -> bytes:
    return _START + b"Content-Type: message/rfc822\r\n\r\n" * 12 + repeated(b"Subject: a\r\n", size)


def _file(size: int) -> bytes:
    content = base64.encodebytes(repeated(b"\x00\x01\xfe file ", size * 3 // 4))
    head = b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return _START + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + head + content + b"--b--\r\n"


def _parameters(template: str, field: bytes = b"Content-Type: text/plain") -> Maker:
    return lambda size: _START + field + numbered(template, min(size, 900_000)) + b"\r\n\r\nhi\r\n"


def _report(size: int) -> bytes:
    kind = b"multipart/report; report-type=delivery-status; boundary=b"
    head = (
        b"Content-Type: "
        + kind
        + b"\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: x\r\n\r\n"
    )
    group = "Final-Recipient: rfc822; a{}@b.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
    return _START + head + numbered(group, size) + b"--b--\r\n"


def _bounce(piece: bytes) -> Maker:
    head = b"Return-Path: <>\r\nSubject: failure notice\r\n" + _START.replace(b"a@b", b"mailer-daemon@b") + b"\r\n"
    return lambda size: head + repeated(piece, size)


_PERSIAN: Final = "می‌خواهم سفارشم را پس‌ بدهم، لطفاً راهنمایی‌ام کنید. ".encode()

MAILS: Final[Mapping[str, Maker]] = {
    "open comments in From": _field("From", b"("),
    "comments in To": _field("To", b"(a(b)c)"),
    "comments in angle brackets": _field("To", b"<(a@b.example"),
    "separators in To": _field("To", b" ,;"),
    "short addresses in To": _field("To", b"a@b,"),
    "names with addresses in To": _field("To", b'"A, B" <a@b.example>, '),
    "names without addresses in To": _field("To", b"a, b <c>, "),
    "at signs in To": _field("To", b"@ a"),
    "angle brackets in To": _field("To", b"<"),
    "colons in To": _field("To", b"a:"),
    "colons behind an at sign in To": _field("To", b"@:"),
    "schemes in To": _field("To", b"a://"),
    "angle brackets behind an at sign in To": lambda size: (
        _START.replace(b"To:", b"X:") + _filled("To", b"<", size).replace(b"<", b"<@", 1) + b"\r\n\r\nhi\r\n"
    ),
    "broken words in To": _field("To", b"=?utf-8?q?=E4=F6=FC=DF=C0=C1=C2=C3=C4=C5=C6=C7?= <a@b.example>, "),
    "To fields of raw bytes": lambda size: _fields("To: xyz {}\r\n")(size).replace(
        b"xyz", b"\xe4\xf6\xfc\xdf\xc0\xc1\xc2 a@b"
    ),
    "quotation marks in From": _field("From", b'"\\'),
    "pairs of quotation marks in From": _field("From", b'"" '),
    "backslashes in From": _field("From", b"\\a"),
    "dots and blanks in From": _field("From", b" . "),
    "one long word in From": _field("From", b"a"),
    "raw bytes in From": _field("From", b"\xe4 "),
    "raw bytes in encoded words": _field("Subject", b"=?utf-8?q?\xe4?="),
    "encoded words in Subject": _field("Subject", b"=?utf-8?B?2LPZhNin2YU=?= "),
    "encoded words in To": _field("To", b"=?utf-8?B?2LPZhNin2YU=?= <a@b.example>, "),
    "encoded words of two charsets": _field("Subject", b"=?utf-8?q?a?= =?koi8-r?q?=C1?= "),
    "open encoded words": _field("Subject", b"=?utf-8?B?"),
    "encoded words that are none": _field("Subject", b"=?x?="),
    "encoded words of unknown charsets": _fields("Subject: =?u{}?q?=E4=F6?=\r\n"),
    "blanks in Subject": _field("Subject", b" \t"),
    "folds in Subject": _field("Subject", b"a\n "),
    "comments in Date": _field("Date", b"(a) "),
    "digits in Date": _field("Date", b"1 "),
    "ids in References": _field("References", b"<a@b>"),
    "open brackets in References": _field("References", b"<"),
    "words in In-Reply-To": _field("In-Reply-To", b"a@b "),
    "results in Authentication-Results": _field("Authentication-Results", b"x; dmarc=pass; "),
    "comments in Authentication-Results": _field("Authentication-Results", b"("),
    "Received fields": _fields("Received: from a{} by b; Fri, 20 Nov 2026 13:00:00 +0330\r\n"),
    "To fields": _fields("To: a{}@b.example\r\n"),
    "empty To fields": _fields("To:\r\n"),
    "Date fields": _fields("Date: {} 1 1 1 1\r\n"),
    "Content-Type fields": _fields("Content-Type: ;{}\r\n"),
    "lines that are no fields": _fields("no field {}\r\n"),
    "fields without a name": _fields(":\r\n"),
    "parameters": _parameters("; a{}=b"),
    "parameters without values": _parameters(";a{}"),
    "quotation marks in parameters": _parameters(';a="\\"'),
    "comments in parameters": _parameters(" ("),
    "blanks in parameters": _parameters("; name=a  "),
    "continuations": _parameters("; name*{}=b"),
    "extended continuations": _parameters("; name*{}*=%D8%B3"),
    "parameters of Content-Disposition": _parameters("; filename*{}*=%D8", b"Content-Disposition: attachment"),
    "boundaries": _mixed(b"--b\r\n\r\n\r\n"),
    "boundaries without line ends": _mixed(b"--b"),
    "boundaries that begin others, carriage returns": _mixed(b"--ba\r"),
    "boundaries that begin others": _mixed(b"--ba\r\n"),
    "parts that are pictures": _mixed(b"--b\r\nContent-Type: image/png\r\nContent-ID: <a>\r\n\r\nx\r\n"),
    "parts that are alternatives": _mixed(
        b"--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n", b"multipart/alternative; boundary=b"
    ),
    "parts of unknown charsets": _mixed(
        b"--b\r\nContent-Type: text/plain; charset=x\r\n\r\n\xe4\xf6\xfc\xdf\xc0\xc1\r\n"
    ),
    "parts with fields": _mixed(b"--b\r\n" + b"a:\n" * 50 + b"\r\n"),
    "HTML parts of a digest": _mixed(
        b"--b\r\n\r\nContent-Type: text/html\r\n\r\n" + b"<p>" * 9000 + b"\r\n", b"multipart/digest; boundary=b"
    ),
    "mails with folded fields in a digest": _mixed(
        b"--b\r\n\r\nSubject: x\n" + b" a\n" * 9000 + b"\r\n", b"multipart/digest; boundary=b"
    ),
    "fields without values in a report": lambda size: (
        _report(2000).replace(b"--b--\r\n", b"") + repeated(b"a:\n\n", size)
    ),
    "mails in a digest": _mixed(b"--b\r\n\r\nFrom: a@b.example\r\n\r\nx\r\n", b"multipart/digest; boundary=b"),
    "nested multiparts": _nested(49, is_closed=True),
    "nested multiparts without an end": _nested(49, is_closed=False),
    "nested multiparts, too many": _nested(300, is_closed=False),
    "nested boundaries that begin each other": _nested_prefixes,
    "nested mails": _nested_mails,
    "a file": _file,
    "open elements": _html(b"<div>"),
    "open quotations": _html(b"<blockquote>x"),
    "tables": _html(b"<table><tr><td>"),
    "cells": _html(b"<td>a"),
    "line breaks": _html(b"<br>"),
    "paragraphs": _html(b"<p>a</p>"),
    "misnested elements": _html(b"<b><i></b></i>"),
    "misnested anchors": _html(b"<a><b><p>"),
    "formatting elements": _html(b"<b id=a><font>"),
    "formatting in tables": _html(b"<table><b>x"),
    "attributes": lambda size: _HTML + b"<p " + numbered("a{}=b ", size) + b">x",
    "elements with attributes": _html(b'<p class="gmail_quote" id=a style=b>'),
    "open attribute values": _html(b'<a href="'),
    "open tags": _html(b"<a "),
    "angle brackets": _html(b"<"),
    "comments": _html(b"<!-- -->"),
    "open comments": _html(b"<!--"),
    "entities": _html(b"&amp;&#1587;&notin"),
    "entities without elements": _html(b"&a"),
    "elements of one name each": lambda size: _HTML + numbered("<x{}>", size),
    "templates": _html(b"<template>"),
    "selects": _html(b"<select><option>"),
    "drawings": _html(b"<svg><math>"),
    "scripts": _html(b"<script>x</script>"),
    "pictures with a text": _html(b"<img alt=a>"),
    "no-break spaces": _html(b"<i>\xc2\xa0</i>"),
    "soft line breaks": _encoded(b"quoted-printable", b"=\r\n"),
    "escapes": _encoded(b"quoted-printable", b"=D8=B3"),
    "stray equals signs": _encoded(b"quoted-printable", b"="),
    "blanks in quoted-printable": _encoded(b"quoted-printable", b" \t"),
    "elements in quoted-printable": _encoded(b"quoted-printable", b"<p>=\r\n", b"text/html"),
    "garbage in base64": _encoded(b"base64", b"A*=-"),
    "padding in base64": _encoded(b"base64", b"QQ=="),
    "equals signs in base64": _encoded(b"base64", b"="),
    "uuencoded files": _plain(b"begin 644 a\r\n#0V%T\r\nend\r\n"),
    "uuencoded lines": _encoded(b"x-uuencode", b"begin 644 a\r\n#0V%T\r\n"),
    "beginnings of uuencoded files": _plain(b"begin 644 a\r\n\nen"),
    "bytes of no charset": _charset(b"x", b"\xe4\xf6\xfc\xdf\x81 "),
    "bytes of the wrong charset": _charset(b"utf-8", b"\xe4\xf6\x80"),
    "Japanese shifts": _charset(b"iso-2022-jp", b"\x1b$B\x1b(B"),
    "Japanese rows": _charset(b"iso-2022-jp", b"\x1b$B-!-\x22"),
    "UTF-7": _charset(b"utf-7", b"+AAA-"),
    "UTF-16": _charset(b"utf-16", b"\xd8\x00"),
    "HZ": _charset(b"hz", b"~{~}"),
    "flowed lines": lambda size: (
        _START + b"Content-Type: text/plain; format=flowed\r\n\r\n" + repeated(b"a \r\n", size)
    ),
    "one flowed paragraph": lambda size: (
        _START + b"Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n" + repeated(b"> a \r\n", size)
    ),
    "announcements": _plain(b"On Mon, 5 May 2024 at 10:00\r\n"),
    "words that announce": _plain(b"On "),
    "header fields in a text": _plain(b"From: a\r\nSent: b\r\n"),
    "announced quotations": _plain(b"On 5 May 2024 10:00 a@b wrote:\r\n> x\r\n"),
    "quotation marks": _plain(b">"),
    "quoted lines": _plain(b"> \r\n"),
    "drawn lines": _plain(b"_____\r\n"),
    "dashes": _plain(b"-"),
    "links wrapped out of quotations": _plain(b"> <http://a\r\nb\r\n"),
    "signatures": _plain(b"-- \r\nSent from my iPhone\r\n\r\n"),
    "blank lines": _plain(b"\r\n"),
    "blanks": _plain(b" "),
    "one long line": _plain(b"a"),
    "Persian": _plain(_PERSIAN),
    "Persian lines": _plain(_PERSIAN + b"\r\n"),
    "NUL": _plain(b"\0"),
    "control characters": _plain(b"\x01\x02"),
    "a report on many": _report,
    "a bounce with addresses": _bounce(b"<a@b.example> 550 5.1.1 "),
    "a bounce with codes": _bounce(b"5.1."),
    "a bounce with one long word": _bounce(b"a."),
    "a bounce with Message-IDs": _bounce(b"Message-ID: <a\r\n"),
    "line feeds": lambda size: repeated(b"\n", size),
    "carriage returns": lambda size: _PLAIN + repeated(b"\r", size),
    "header fields only": lambda size: repeated(b"a:b\r", min(size, 1_000_000)),
    "random bytes": lambda size: repeated(bytes(range(256)), size),
}
"""What a crafted mail of about this many bytes consists of; a header block is never longer than it may be."""
