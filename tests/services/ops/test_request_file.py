"""Recorded requests in their three forms."""

from pathlib import Path

import pytest

from channels.errors import Malformed
from services.ops.request_file import Recorded, read

FORM = ("content-type", "application/x-www-form-urlencoded")
JSON = ("content-type", "application/json")
MAIL = b"From: Ali <ali@example.org>\nTo: Help <help@shop.example>\nSubject: hi\n\nhello\n"


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.http", b"POST /x HTTP/1.1\r\nA: 1\r\n\r\nB=2", Recorded("POST", "/x", (("a", "1"),), b"B=2")),
        (
            "a.http",
            b"# note\n\nGET https://h.example/x?q=1\nA: 1\n",
            Recorded("GET", "https://h.example/x?q=1", (("a", "1"),), b""),
        ),
        ("a.http", b"POST / HTTP/1.1\n\nB=2\n", Recorded("POST", "/", (), b"B=2")),
        (
            "a.http",
            b"POST / HTTP/1.1\nContent-Type: text/plain\n\nB\n",
            Recorded("POST", "/", (("content-type", "text/plain"),), b"B\n"),
        ),
        (
            "a.http",
            b"POST / HTTP/1.1\nContent-Length: 2\n\nB\nmore",
            Recorded("POST", "/", (("content-length", "2"),), b"B\n"),
        ),
        ("a", b"PUT /x\n\n", Recorded("PUT", "/x", (), b"")),
        ("a.json", b'{"a":1}\n', Recorded("POST", "/", (JSON,), b'{"a":1}')),
        (
            "a.json",
            b'{"method":"post","path":"/x","form":{"a":["1","2"]}}',
            Recorded("POST", "/x", (FORM,), b"a=1&a=2"),
        ),
        (
            "a.json",
            b'{"method":"POST","url":"/x","headers":{"A":"b"},"body":"c"}',
            Recorded("POST", "/x", (("a", "b"),), b"c"),
        ),
        ("a.json", b'{"method":"POST","url":"/x","body_base64":"Yg=="}', Recorded("POST", "/x", (), b"b")),
        ("a.json", b'{"method":"POST","url":"/x","body":{"k":1}}', Recorded("POST", "/x", (), b'{"k":1}')),
        (
            "a.eml",
            MAIL,
            Recorded(
                "MAIL",
                "mailto:help@shop.example",
                (("mail-from", "ali@example.org"), ("rcpt-to", "help@shop.example"), ("received-from", "127.0.0.1")),
                MAIL,
            ),
        ),
    ],
)
def test_files(tmp_path: Path, name: str, content: bytes, found: Recorded) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert read(path) == found


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.json", b'{"method":"POST","url":"/x","body_base64":"***"}'),
        ("a.json", b'{"method":"POST","url":"/x","headers":[1]}'),
        ("a.http", b"POST / HTTP/1.1\nno colon\n\n"),
        ("a.http", b"hello"),
        ("a.txt", b""),
    ],
)
def test_what_is_no_request_is_malformed(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Malformed):
        read(path)
    with pytest.raises(Malformed):
        read(tmp_path / "nowhere.http")


@pytest.mark.parametrize(
    ("target", "suffix"),
    [
        ("/hooks/sms/twilio/k3y", ""),
        ("/hooks/sms/twilio/k3y/status?a=1", "/status?a=1"),
        ("https://h.example/forms/k3y", ""),
        ("/?a=1", "?a=1"),
        ("/elsewhere", ""),
    ],
)
def test_what_comes_after_the_key_is_kept(target: str, suffix: str) -> None:
    assert Recorded("POST", target, (), b"").suffix() == suffix
