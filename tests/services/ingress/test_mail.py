import asyncio
import smtplib
import socket
from collections.abc import AsyncGenerator

import pytest

from channels.email import identity
from services.demo import mails
from services.settings import Settings
from tests.services.ingress.edge import Edge, running_edge

HELP = "help@shop.example"
MESSAGES = "SELECT count(*) FROM record.facts WHERE type = 'interaction.received'"


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings) as made:
        yield made


def _send(edge: Edge, raw: bytes, *recipients: str) -> None:
    host, port = edge.smtp.split(":")
    with smtplib.SMTP(host, int(port), timeout=10) as client:
        client.sendmail("sara@example.com", recipients or [HELP], raw)


async def test_a_mail_is_kept_read_and_known_again(edge: Edge) -> None:
    raw = mails.persian("sara@example.com", HELP, "<1@example.com>")
    for _ in range(3):
        await asyncio.to_thread(_send, edge, raw)
    await edge.until(MESSAGES, 1)
    await edge.until("SELECT count(*) FROM service.pending", 0)
    assert edge.count("SELECT count(*) FROM record.raw") == 1


async def test_one_mail_to_two_mailboxes_is_one_interaction_in_each(edge: Edge) -> None:
    raw = mails.persian("sara@example.com", HELP, "<2@example.com>")
    await asyncio.to_thread(_send, edge, raw, HELP, "sales@shop.example", "help+order-7@shop.example")
    await edge.until(MESSAGES, 2)


async def test_a_bounce_is_a_message_and_a_receipt(edge: Edge) -> None:
    await asyncio.to_thread(_send, edge, mails.bounce("x@example.com", HELP))
    await edge.until(MESSAGES, 1)
    assert edge.count("SELECT count(*) FROM record.facts WHERE type = 'receipt.reported'") == 1


async def test_an_unreadable_mail_is_taken_and_parked(edge: Edge) -> None:
    await asyncio.to_thread(_send, edge, mails.undecodable("x@example.com", HELP))
    await edge.until("SELECT count(*) FROM service.parked", 1)
    assert edge.count("SELECT count(*) FROM service.pending") == 0
    assert edge.count("SELECT count(*) FROM record.raw") == 1


async def test_an_unknown_mailbox_is_refused_before_the_mail_is_sent(edge: Edge) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await asyncio.to_thread(_send, edge, b"Subject: x\r\n\r\n", "nobody@shop.example")
    assert refused.value.recipients["nobody@shop.example"][0] == 550


async def test_a_mail_above_the_limit_is_refused_by_its_size(edge: Edge) -> None:
    with pytest.raises(smtplib.SMTPSenderRefused) as refused:
        await asyncio.to_thread(_send, edge, b"Subject: x\r\n\r\n" + b"x" * (26 << 20))
    assert refused.value.smtp_code == 552


def _lmtp(edge: Edge, raw: bytes) -> list[bytes]:
    host, port = edge.lmtp.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        stream = connection.makefile("rwb")
        said = [stream.readline()]
        for line in (b"LHLO mx", b"MAIL FROM:<a@example.com>", b"RCPT TO:<help@shop.example>"):
            stream.write(line + b"\r\n")
            stream.flush()
            while (answer := stream.readline())[3:4] == b"-":
                pass
            said.append(answer)
        for line in (b"RCPT TO:<sales@shop.example>", b"DATA"):
            stream.write(line + b"\r\n")
            stream.flush()
            said.append(stream.readline())
        stream.write(raw.replace(b"\n", b"\r\n") + b"\r\n.\r\n")
        stream.flush()
        answers = [stream.readline(), stream.readline()]
        stream.write(b"NOOP\r\n")
        stream.flush()
        assert stream.readline().startswith(b"250 OK"), "an answer too many"
        return answers


async def test_lmtp_answers_for_each_recipient(edge: Edge) -> None:
    raw = b"From: a@example.com\nTo: help@shop.example\nSubject: x\nMessage-ID: <l@example.com>\n\nhello\n"
    answers = await asyncio.to_thread(_lmtp, edge, raw)
    assert [answer[:3] for answer in answers] == [b"250", b"250"]
    await edge.until(MESSAGES, 2)


@pytest.mark.parametrize(("line", "code"), [(b"x" * (2 << 20), b"500"), (b"x" * 900 + b"\n", b"552")])
async def test_lmtp_answers_for_each_recipient_also_when_it_refuses(edge: Edge, line: bytes, code: bytes) -> None:
    """The sender would wait for the answers that are missing, and come again and again."""
    answers = await asyncio.to_thread(_lmtp, edge, line * ((26 << 20) // len(line) + 1 if code == b"552" else 1))
    assert [answer[:3] for answer in answers] == [code, code]
    assert edge.count("SELECT count(*) FROM record.raw") == 0


async def test_a_fault_of_ours_is_no_reason_to_give_a_mail_up(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_body: bytes) -> str:
        raise RuntimeError("a fault")

    monkeypatch.setattr(identity, "source_key", broken)
    raw = mails.persian("sara@example.com", HELP, "<3@example.com>")
    answers = await asyncio.to_thread(_lmtp, edge, raw)
    assert [answer[:3] for answer in answers] == [b"451", b"451"]
    monkeypatch.undo()
    await asyncio.to_thread(_send, edge, raw)
    await edge.until(MESSAGES, 1)


async def test_an_envelope_of_bytes_that_are_no_text_stops_nobody(edge: Edge) -> None:
    def talk() -> bytes:
        host, port = edge.smtp.split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(
                b"EHLO mx\r\nMAIL FROM:<s\xff\0@example.com>\r\nRCPT TO:<help@shop.example>\r\nDATA\r\n"
                b"Subject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n"
            )
            return b"".join(iter(lambda: connection.recv(4096), b""))

    said = await asyncio.to_thread(talk)
    assert b"250-PIPELINING" in said
    assert b"250 2.0.0 Kept" in said
    await edge.until(MESSAGES, 1)
