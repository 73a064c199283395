import pytest

from channels.email import mime
from channels.errors import Malformed

MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"


def texts(raw: bytes) -> list[str | None]:
    return [part.text for part in mime.read(raw).parts if not part.is_multipart]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n"])
def test_an_end_glued_to_the_text_is_an_end(end: bytes) -> None:
    mail = mime.read(MIXED + b"--b\n\nhello--b--" + end)
    assert (mail.text, mail.defects, mail.parts[1].is_damaged) == ("hello", (), False)


@pytest.mark.parametrize("body", [b"use --b-- here\n--b--\n", b"use --b-- here", b"use --b--\nhere\n"])
def test_what_looks_like_an_end_inside_the_text_stays(body: bytes) -> None:
    assert mime.read(MIXED + b"--b\n\n" + body).text == body.removesuffix(b"\n--b--\n").decode()


def test_a_boundary_that_is_the_end_of_the_outer_one_opens_the_inner_multipart() -> None:
    raw = (
        b"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=b--\n\n"
        b"--b--\n\nfirst\n--b--\nContent-Type: text/html\n\n<p>second</p>\n--b----\n--b--\n"
    )
    assert texts(raw) == ["first", "<p>second</p>"]


def test_a_second_end_is_behind_the_mail() -> None:
    assert texts(MIXED + b"--b\n\nfirst\n--b--\na footer of a list\n--b--\n") == ["first"]


def test_parts_that_nobody_began_are_none() -> None:
    raw = MIXED + b"--b\n--b\nContent-Type: text/plain\n--b\n\nhello\n--b\nContent-Type: text/html\n--b--\n"
    assert texts(raw) == ["hello"]


def test_a_mail_of_parts_that_nobody_began_is_empty() -> None:
    mail = mime.read(MIXED + b"--b\n--b\nContent-Type: text/plain\n--b--\n")
    assert (mail.text, len(mail.parts), mail.attachments) == ("", 1, ())


@pytest.mark.parametrize("form", [b"%s--b\n--b--\n", b"--b\n--b--\n%s", b"--b\n--b--\n%s--b--\n", b"--b--\n%s--b--\n"])
def test_text_around_parts_that_nobody_began_is_shown(form: bytes) -> None:
    assert "my order is late" in mime.read(MIXED + form % b"my order is late\n").text


def test_an_empty_file_and_an_empty_text_are_parts() -> None:
    raw = MIXED + (
        b"--b\nContent-Type: text/plain\n\n--b\nContent-Type: text/plain; name=a.txt\n--b\n"
        b"Content-Disposition: attachment; filename=b.txt\n--b\nhello\n--b--\n"
    )
    mail = mime.read(raw)
    assert texts(raw) == ["", "", "", "hello"]
    assert [part.name for part in mail.parts] == [None, None, "a.txt", "b.txt", None]


def test_parts_that_nobody_began_count() -> None:
    with pytest.raises(Malformed, match="more than 1000 parts"):
        mime.read(MIXED + b"--b\n" * 1002)
