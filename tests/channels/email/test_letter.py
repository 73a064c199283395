"""Mails of ours are read back as they were meant, by our reader and by Python's, whatever people wrote into them."""

import email
import email.policy
import re
from email.message import EmailMessage, MIMEPart
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.email import automatic, fields, mime
from channels.email.letter import Letter, write
from channels.email.smtp import SmtpConfig
from channels.sending import Enclosed, Rejected, Thread
from channels.typed import clean
from tests.channels.outgoing import outgoing

KEY = "abcdefghijklmnopqrstuvwxyz234567abcdefghij"
FIELDS = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "Content-Transfer-Encoding"]
MANY = settings(max_examples=300, deadline=None)

_SMUGGLED = "hi\r\nBcc: eve@example.com\r\n\r\n<b>x</b>"
words = (
    st.text(max_size=120)
    | st.text('\r\n\t \0\x0b\x0c\x1c\x85\u2028:<>@,;"\\=?سلامé😀ab', max_size=300)
    | st.sampled_from([_SMUGGLED, "=?utf-8?q?=0D=0ABcc:_eve?=", "x" * 10_240, "سلام " * 2000, "a " * 5000, "😀" * 2500,
                       "\ud800"])
)  # fmt: skip


media_types = st.sampled_from(
    ["application/pdf", "text/plain; charset=utf-8", "message/rfc822", "multipart/mixed", "x", "a/b\r\nX: y", ""]
)
ids_ = st.from_regex(r"<[a-z0-9.]{1,90}@[a-z]{1,20}>", fullmatch=True)


def _written(settings: dict[str, str] | None = None, **given: Any) -> Letter:
    outlet = SmtpConfig.model_validate({"address": "help@shop.example", **(settings or {})})
    return write(outlet, outgoing(**{"address": "mailto:sara@example.com", **given}))


def _read(letter: Letter) -> EmailMessage:
    found = email.message_from_bytes(letter.content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert found.defects == []
    return found


def _shown(part: MIMEPart) -> str:
    return part.get_content().replace("\r\n", "\n").removesuffix("\n")


@MANY
@given(subject=words, name=words)
@example(subject=_SMUGGLED, name=_SMUGGLED)
def test_nothing_that_people_write_becomes_a_header_field(subject: str, name: str) -> None:
    config = SmtpConfig.model_construct(address="help@shop.example", from_name=name)
    letter = write(config, outgoing(address="mailto:sara@example.com", thread=Thread(subject)))
    read, ours = _read(letter), mime.read(letter.content)
    assert sorted(read.keys()) == sorted(FIELDS)
    shown = fields.one_line(subject)
    if shown:
        assert ours.subject.removeprefix("Re: ").split() == shown.removeprefix("Re: ")[:1996].split()
        assert ours.subject.startswith(("Re:", shown[:1]))
    assert [person.address for person in ours.from_] == ["help@shop.example"]
    assert ours.from_[0].name.split() == fields.one_line(name)[:100].split()
    assert ours.defects == ()
    head = letter.content.partition(b"\r\n\r\n")[0]
    assert head.isascii()
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))


@MANY
@given(text=words, html=st.none() | words)
def test_a_text_arrives_as_it_was_written(text: str, html: str | None) -> None:
    letter = _written(text=text, html=html)
    read, ours = _read(letter), mime.read(letter.content)
    assert letter.content.isascii()
    assert all(len(line) <= 998 for line in letter.content.split(b"\r\n"))
    assert b"\n" not in letter.content.replace(b"\r\n", b"")
    plain = read.get_body(("plain",))
    assert plain is not None
    assert _shown(plain) == clean(text)
    assert ours.text.strip() == clean(text).strip()
    if html is not None:
        shown = read.get_body(("html",))
        assert shown is not None
        assert _shown(shown) == clean(html)


@MANY
@given(
    files=st.lists(
        st.builds(
            Enclosed,
            st.none() | words,
            media_types,
            st.binary(max_size=200),
        ),
        min_size=1,
        max_size=4,
    )
)  # fmt: skip
def test_files_arrive_with_their_bytes(files: list[Enclosed]) -> None:
    letter = _written(text="see below", attachments=tuple(files))
    read, ours = _read(letter), mime.read(letter.content)
    assert [part.get_payload(decode=True) for part in read.iter_attachments()] == [file.content for file in files]
    assert [file.content for file in ours.attachments] == [file.content for file in files]
    for part in read.iter_attachments():
        assert part.keys() == ["Content-Type", "Content-Transfer-Encoding", "Content-Disposition"]
        assert re.search(r'[\r\n/\\"]', part.get_filename() or "") is None
    assert all(file.name for file in ours.attachments)


def test_a_file_keeps_its_persian_name() -> None:
    letter = _written(attachments=(Enclosed("فاکتور ۱۲.pdf", "application/pdf", b"%PDF-"),))
    (file,) = mime.read(letter.content).attachments
    assert (file.name, file.media_type, file.content) == ("فاکتور ۱۲.pdf", "application/pdf", b"%PDF-")


@MANY
@given(
    ids=st.lists(words | st.from_regex(r"<[a-z0-9.]{1,90}@[a-z]{1,20}>", fullmatch=True), max_size=120), answered=words
)
def test_a_thread_is_named_by_whole_ids_only(ids: list[str], answered: str) -> None:
    letter = _written(thread=Thread("hi", answered, tuple(ids)))
    ours = mime.read(letter.content)
    assert set(ours.references) <= {one.strip("<>") for one in (*ids, answered)}
    assert set(_read(letter).keys()) <= {*FIELDS, "In-Reply-To", "References"}
    assert len(ours.references) <= 40


def test_of_a_long_thread_the_first_and_the_last_are_named() -> None:
    ids = tuple(f"<{number}.{'x' * 80}@example.com>" for number in range(100))
    letter = _written(thread=Thread("Re: سفارش", ids[-1], ids))
    ours = mime.read(letter.content)
    assert [f"<{one}>" for one in ours.references] == [ids[0], *ids[61:]]
    assert ours.in_reply_to == (ids[-1].strip("<>"),)
    assert ours.subject == "Re: سفارش"


def test_the_answered_mail_stands_last() -> None:
    letter = _written(
        thread=Thread("order", "<b@example.com>", ("<a@example.com>", "<b@example.com>", "<c@shop.example>"))
    )
    ours = mime.read(letter.content)
    assert ours.references == ("a@example.com", "c@shop.example", "b@example.com")
    assert ours.subject == "Re: order"


def test_without_a_thread_the_subject_names_the_reference() -> None:
    assert mime.read(_written().content).subject == "پاسخ ما به شما (T-12)"
    assert mime.read(_written(language="de", reference="").content).subject == "Our answer to you"


def test_the_same_message_is_the_same_mail() -> None:
    assert _written(html="<p>x</p>") == _written(html="<p>x</p>")


def test_only_what_nobody_wrote_says_that_it_is_automatic() -> None:
    assert automatic.classify(mime.read(_written().content)).kind == "human"
    letter = _written(automatic=True)
    assert automatic.classify(mime.read(letter.content)).kind == "auto_reply"
    assert b"\r\nX-Auto-Response-Suppress: All\r\n" in letter.content


def test_with_plus_addressing_answers_and_bounces_come_to_addresses_of_their_own() -> None:
    letter = _written({"plus_addressing": "on"}, reply_key=KEY)
    ours = mime.read(letter.content)
    assert [person.address for person in ours.reply_to] == [f"help+{KEY}@shop.example"]
    assert re.fullmatch(r"help\+b-[a-z2-7]{26}@shop\.example", letter.sender)
    assert ours.message_id is not None
    assert re.fullmatch(rf"[a-z2-7]{{26}}\.{KEY}@shop\.example", ours.message_id)


def test_an_address_too_long_for_that_stays_as_it_is() -> None:
    long = "the-customer-service-of-our-whole-house@shop.example"
    letter = _written({"plus_addressing": "on", "address": long}, reply_key=KEY)
    assert (letter.sender, mime.read(letter.content).reply_to) == (long, ())
    assert _written(reply_key=KEY).sender == "help@shop.example"


@pytest.mark.parametrize(
    ("address", "recipient"),
    [
        ("sara@پست.example", "sara@xn--pgbr8t.example"),
        ("سارا@example.com", "سارا@example.com"),
        ('"sara k"@example.com', '"sara k"@example.com'),
        ("sara@office.local", "sara@office.local"),
    ],
)
def test_addresses_are_written_as_servers_know_them(address: str, recipient: str) -> None:
    letter = _written(address=f"mailto:{address}")
    assert letter.recipient == recipient
    assert letter.content.isascii() == recipient.isascii()
    assert b"\r\nTo: " + recipient.encode() + b"\r\n" in letter.content


@pytest.mark.parametrize("address", ["sara", "sara@", "a@b\r\nRCPT TO:<eve@x>", "a@b.c> SIZE=1", "", "a b@c.d", "@x.y"])
def test_what_is_no_address_is_not_written_to(address: str) -> None:
    with pytest.raises(Rejected) as told:
        _written(address=f"mailto:{address}")
    assert told.value.code == "no_such_mailbox"
