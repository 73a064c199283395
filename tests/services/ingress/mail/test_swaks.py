"""Broken and impatient senders (`swaks`): each gets an answer in words, and nothing that was taken is lost."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncGenerator

import pytest

from services.settings import Settings
from tests.services.ingress.edge import Edge, running_edge
from tests.services.ingress.mail.seen import PENDING, RAW, RECEIVED, facts, letter

HELP = "help@shop.example"
_HEAD = b"From: sara@example.com\r\nTo: help@shop.example\r\nSubject: x\r\n"
_KEPT = "250 2.0.0 Kept"

TAKEN = {
    "bare LF": _HEAD.replace(b"\r\n", b"\n") + b"\nfirst line\nbare LF",
    "bare CR": _HEAD + b"\r\nfirst line\rbare CR",
    "a second mail smuggled in": _HEAD + b"\r\na\n.\nMAIL FROM:<b@example.com>\r\n\n.\r\n\r.\rsmuggled in",
    "a line of 200,000 characters": _HEAD + b"\r\n" + b"x" * 200_000,
    "NUL": _HEAD + b"X-Nul: a\0b\r\n\r\na\0b NUL",
    "neither From nor Date": b"Subject: nobody\r\n\r\nneither From nor Date",
    "no header": b"\r\nno header",
    "no end of its header": b"From: sara@example.com",
    "a charset that is not the one it names": _HEAD
    + b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + "wrong charset سلام".encode("cp1256"),
    "a charset that nobody knows": _HEAD + b"Content-Type: text/plain; charset=x-mine\r\n\r\nunknown charset",
    "a header of 400 KB": _HEAD + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 90) for n in range(4000)) + b"\r\nbig header",
    "a header line of 100 KB": _HEAD + b"References:" + b" <a@example.com>\r\n" * 6000 + b"\r\nlong header",
    "dots": _HEAD + b"\r\n..a line that begins with a dot\r\n...",
}
"""What stands between DATA and the lone dot, as it goes over the wire."""

ARGUED = {
    "pipelined": (["--pipeline", "--to", HELP], _KEPT),
    "one recipient unknown": (["--to", f"{HELP},nobody@shop.example"], _KEPT),
    "the bounce of a bounce": (["--from", "<>", "--to", HELP], _KEPT),
    "bytes that are no UTF-8 in the envelope": (["--from", b"sar\xffa@example.com", "--to", HELP], _KEPT),
    "an address longer than a command": (["--from", "s" * 700 + "@example.com", "--to", HELP], "500 Command line"),
    "no recipient of ours": (["--to", "nobody@shop.example"], "550 5.1.1 No such mailbox here"),
    "a recipient that is no address": (["--to", "help@"], "5"),
}


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings) as made:
        yield made


async def _swaks(edge: Edge, *arguments: str | bytes, mail: bytes) -> str:
    """What was said, both sides."""
    found = shutil.which("swaks")
    if found is None:
        pytest.skip("needs swaks (apt-get install swaks)")
    command = [found, "--server", edge.smtp, "--helo", "mx.example.com", "--data", "-", "--timeout", "20s"]
    if not any(one == "--from" for one in arguments):
        command += ["--from", "envelope@example.com"]
    done = await asyncio.to_thread(
        subprocess.run, [*command, *arguments], input=mail, capture_output=True, check=False, timeout=60
    )
    return (done.stdout + done.stderr).decode("utf-8", "replace")


async def _as_it_is(edge: Edge, mail: bytes, *arguments: str) -> str:
    return await _swaks(edge, "--to", HELP, "--no-data-fixup", *arguments, mail=mail)


async def test_whatever_a_mail_is_made_of_it_is_taken_as_one_mail(edge: Edge) -> None:
    for number, (name, mail) in enumerate(TAKEN.items(), start=1):
        said = await _as_it_is(edge, mail + b"\r\n.\r\n")
        assert _KEPT in said, (name, said[-2000:])
        assert edge.count(RAW) == number, name
    await edge.until(PENDING, 0)
    assert edge.count("SELECT count(*) FROM service.parked") == 0
    texts = [fact["personal"].get("full_text") or fact["personal"]["text"] for fact in await facts(edge.settings)]
    for ending in ("bare LF", "bare CR", "smuggled in", "NUL", "neither From nor Date", "no header", "big header"):
        assert any(text.rstrip().endswith(ending) for text in texts), (ending, [text[-50:] for text in texts])
    addresses = {fact["personal"]["address"] for fact in await facts(edge.settings)}
    assert addresses == {"mailto:sara@example.com", "mailto:envelope@example.com"}


async def test_each_sender_is_answered_in_words(edge: Edge) -> None:
    for number, (name, (arguments, answer)) in enumerate(ARGUED.items()):
        said = await _swaks(edge, *arguments, mail=letter(number))
        assert answer in said, (name, said)
    kept = sum(answer == _KEPT for _, answer in ARGUED.values())
    await edge.until(RECEIVED, kept)
    assert edge.count(RAW) == kept


async def test_a_line_without_end_is_refused_and_its_sender_may_go_on(edge: Edge) -> None:
    said = await _as_it_is(edge, _HEAD + b"\r\n" + b"x" * (3 << 20) + b"\r\n.\r\n")
    assert "500 Line too long" in said
    assert _KEPT in await _swaks(edge, "--to", HELP, mail=letter(1))
    assert edge.count(RAW) == 1


async def test_who_leaves_in_the_middle_leaves_nothing_and_may_come_again(edge: Edge) -> None:
    for point in ("CONNECT", "HELO", "MAIL", "RCPT", "DATA"):
        await _swaks(edge, "--to", HELP, "--drop-after", point, mail=letter(1))
    await _as_it_is(edge, letter(1)[:-9], "--timeout", "1s")
    assert edge.count(RAW) == 0
    await _swaks(edge, "--to", HELP, "--drop-after-send", "DOT", mail=letter(1))
    assert _KEPT in await _swaks(edge, "--to", HELP, mail=letter(1))
    await edge.until(RECEIVED, 1)
    assert edge.count(RAW) == 1
