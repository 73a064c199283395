import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.email import automatic, bounce, identity, mime, reply
from channels.errors import Malformed

ALPHABET = b'\r\n\r\n\t :;,-=?<>()"\\ab@.\xe9\xff0'
SNIPPETS = (
    b"From: ",
    b"To: ",
    b"Subject: ",
    b"Date: ",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n",
    b"--b\r\n",
    b"--b--\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"=?utf-8?B?",
    b"?=",
    b"charset=idna",
    b"charset=utf-7",
    b"charset=rot13",
    b"charset=hz",
    b"Content-Type: text/html; ",
    b"Content-Disposition: attachment; filename*0*=",
    b"\r\n\r\n",
    b"message/delivery-status",
    b"1 Jan 99999",
)


def read_all(raw: bytes) -> None:
    """Everything that looks at a mail, on any bytes."""
    identity.source_key(raw)
    try:
        mail = mime.read(raw)
    except Malformed:
        return
    automatic.classify(mail)
    bounce.read(mail)
    reply.written(mail.text)
    assert mail.parts


@given(st.binary(max_size=2000))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_mail_or_malformed(raw: bytes) -> None:
    read_all(raw)


@given(st.lists(st.sampled_from([*SNIPPETS, *(bytes([byte]) for byte in ALPHABET)]), max_size=80))
@settings(max_examples=300, deadline=None)
def test_any_pieces_of_mail_are_a_mail_or_malformed(pieces: list[bytes]) -> None:
    read_all(b"".join(pieces))


@pytest.mark.parametrize(
    ("declared", "content", "text"),
    [
        ("iso-8859-1", b"\x93Gr\xfc\xdfe\x94 \x80", "“Grüße” €"),
        ("gb2312", "镕基".encode("gb18030"), "镕基"),
        ("ks_c_5601-1987", "똠방각하".encode("cp949"), "똠방각하"),
        ("windows-1256", "سلام، پیگیری شد".encode("cp1256", "replace"), "سلام، پ?گ?ر? شد"),
        ("iso-2022-jp", b"\x1b$B-!F|\x1b(B", "①日"),
        ("iso-2022-jp", b'a\x1b$Xb\x1b$B$"\x1b(Bc', "a\x1b$Xbあc"),
        (None, b"\x1b$X nobody knows this escape", "\x1b$X nobody knows this escape"),
        ("x-sjis", "①日本語".encode("cp932"), "①日本語"),
        ("utf-7", b"Hi +AGEAYg-", "Hi ab"),
        ("utf-7", b"Hi +2AA-x+2D3eAA-", "Hi \ufffdx😀"),
        ("unknown-8bit", "سفارش".encode(), "سفارش"),
        ("us-ascii", "سفارش".encode(), "سفارش"),
        ("unicode_escape", b"\\u0041", "\\u0041"),
        ("rot13", b"uryyb", "uryyb"),
        ("zlib", b"hello", "hello"),
        ("undefined", b"hello", "hello"),
        (None, ("Здравствуйте, где мой заказ? " * 5).encode("cp1251"), "Здравствуйте, где мой заказ? " * 5),
    ],
)
def test_the_declared_charset_comes_before_the_guess(declared: str | None, content: bytes, text: str) -> None:
    label = f"; charset={declared}" if declared else ""
    mail = mime.read(f"Content-Type: text/plain{label}\n\n".encode() + content)
    assert mail.text == text


def test_a_subject_cut_inside_a_character_is_put_together() -> None:
    data = base64.b64encode("سفارش".encode()).decode()
    subject = f"=?utf-8?B?{data[:4]}?=\r\n =?utf-8?B?{data[4:]}?="
    assert mime.read(f"Subject: {subject}\r\n\r\n".encode()).subject == "سفارش"


def test_raw_header_bytes_are_read_by_the_charset_of_the_body() -> None:
    raw = b"From: \xcf\xb8\xf2\xf0 <p@example.org>\nContent-Type: text/plain; charset=windows-1251\n\nx"
    assert mime.read(raw).from_[0].name == "Пётр"


def test_a_truncated_mail_keeps_its_text_and_says_so() -> None:
    mail = mime.read(b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\nhello")
    assert mail.text == "hello"
    assert mail.defects == ("A multipart has no closing boundary.",)


def test_an_outer_delimiter_ends_the_inner_multipart() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n"
        b"--i\n\nfirst\n--o\nContent-Disposition: attachment; filename=a.txt\n\nfile\n--o--\n"
    )
    mail = mime.read(raw)
    assert (mail.text, [(file.name, file.content) for file in mail.attachments]) == ("first", [("a.txt", b"file")])


def test_a_boundary_with_half_a_surrogate_pair_is_one_that_nothing_fits() -> None:
    mail = mime.read(b"Content-Type: multipart/mixed; boundary==?utf-7?Q?+2AA-?=\n\nhi")
    assert len(mail.parts) == 1


def test_html_alone_becomes_text() -> None:
    raw = b"Content-Type: text/html\n\n<head><style>p{}</style></head><p>Hello&nbsp;you<br>there</p><ul><li>one</ul>"
    mail = mime.read(raw)
    assert mail.text == "Hello you\nthere\n\n* one"
    assert mail.plain_text is None


@pytest.mark.parametrize("date", ["Mon, 1 Jan 0001 00:00:00 +0100", "Fri, 31 Dec 9999 23:59:59 -2359"])
def test_a_date_that_has_no_name_in_another_zone_is_none(date: str) -> None:
    assert mime.read(f"Date: {date}\n\nhi".encode()).date is None


def test_a_mail_with_too_many_parts_is_malformed() -> None:
    with pytest.raises(Malformed, match="more than 1000 parts"):
        mime.read(b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 1001)


def test_a_mail_nested_too_deep_is_malformed() -> None:
    levels = (f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(200))
    with pytest.raises(Malformed, match="deeper than 50 levels"):
        mime.read("".join(levels).encode())


@pytest.mark.parametrize("noise", [b"<", b"(", b"=?utf-8?q?", b"a@b, ", b" ", b"\n ", b"a*0=b; ", b"\xe9"])
@pytest.mark.parametrize("name", [b"From", b"Subject", b"Content-Type", b"References", b"Date"])
def test_hostile_headers_are_a_mail(name: bytes, noise: bytes) -> None:
    raw = name + b": " + (noise * 65_536)[:65_536] + b"\n\nbody"
    assert mime.read(raw).parts[0].content.endswith(b"body")


def test_25_megabytes_are_read_whole() -> None:
    lines = base64.encodebytes(bytes(18 * 1024 * 1024)).replace(b"\n", b"\r\n")
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhi\r\n--b\r\nContent-Type: application/pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + lines + b"\r\n--b--\r\n"
    )
    mail = mime.read(raw)
    assert len(mail.attachments[0].content) == 18 * 1024 * 1024


def test_copies_of_a_mail_have_one_key() -> None:
    raw = b"From: a@b.example\r\nMessage-ID: <1@b.example>\r\nSubject: hi\r\n there\r\n\r\nbody\r\n"
    copy = (
        b"Return-Path: <x@y>\nReceived: from z\n"
        + raw.replace(b"\r\n there", b" there").replace(b"\r\n", b"\n")
        + b"\n"
    )
    assert identity.source_key(raw) == identity.source_key(copy)
    assert identity.source_key(raw).startswith("1@b.example|")
    assert identity.source_key(raw) != identity.source_key(raw.replace(b"body", b"Body"))
