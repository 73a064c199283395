"""Debian's postfix hands mail to our LMTP door: each mail once, whoever is away meanwhile, and its reports are read."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace

import pytest

from services.settings import Settings
from services.tenancy.store import NewInbox, Tenancy
from tests.gateway import Gateway, gateway
from tests.services.ingress.edge import Edge, running_again, running_edge
from tests.services.ingress.mail.postfix import Postfix, relaying
from tests.services.ingress.mail.seen import PENDING, RAW, RECEIPTS, RECEIVED, facts, letter

HELP, SALES, NOBODY = "help@shop.example", "sales@shop.example", "nobody@shop.example"


class Deaf(Gateway):
    """A way to a mail server whose answers are lost once a mail's text is asked for."""

    is_deaf = False

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
                if self.is_deaf and b"354 " in data:
                    self.silence()
                    await self._speaks.wait()
        finally:
            writer.close()


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings) as made:
        yield made


def _port(edge: Edge) -> int:
    return int(edge.lmtp.rpartition(":")[2])


async def _until(edge: Edge, postfix: Postfix, number: int) -> None:
    """Until so many mails are read, trying again and again."""
    for _ in range(200):
        await asyncio.to_thread(postfix.flush)
        if edge.count(RECEIVED) >= number:
            break
        await asyncio.sleep(0.1)
    await edge.until(RECEIVED, number)
    await edge.until(PENDING, 0)


async def test_each_recipient_has_its_own_answer_and_an_unknown_one_a_report(edge: Edge) -> None:
    with relaying(_port(edge)) as postfix:
        await asyncio.to_thread(postfix.send, letter(1), HELP, NOBODY, SALES)
        (report,) = await postfix.until_kept(1)
        await edge.until(RECEIVED, 2)
        assert postfix.waiting() == 0
    assert b"Final-Recipient: rfc822; nobody@shop.example" in report
    assert b"Status: 5.1.1" in report
    assert b"No such mailbox here" in report
    assert [fact["personal"]["recipient"] for fact in await facts(edge.settings)] == [
        f"mailto:{HELP}",
        f"mailto:{SALES}",
    ]


async def test_eight_bits_and_persian_addresses_arrive_as_they_were_written(edge: Edge) -> None:
    def inbox() -> None:
        with Tenancy(edge.settings) as tenancy:
            tenancy.add_inbox("shop", NewInbox("email/smtp", "کمک", "کمک@shop.example", {}, {}))

    await asyncio.to_thread(inbox)
    mail = letter(1, recipient="کمک@shop.example").replace(b"<sara@", "<سارا@".encode())
    options = ("SMTPUTF8", "BODY=8BITMIME")
    with relaying(_port(edge)) as postfix:
        await asyncio.to_thread(postfix.send, mail, "کمک@shop.example", sender="سارا@example.com", options=options)
        await edge.until(RECEIVED, 1)
    (fact,) = await facts(edge.settings)
    personal = fact["personal"]
    assert (personal["address"], personal["recipient"]) == ("mailto:سارا@example.com", "mailto:کمک@shop.example")
    assert (personal["name"], personal["text"]) == ("سارا", "Where is my order? سلام 1")


async def test_while_our_edge_is_dead_the_mail_waits_at_postfix(settings: Settings) -> None:
    async with running_edge(settings) as edge:
        pass
    with relaying(_port(edge)) as postfix:
        for number in range(3):
            await asyncio.to_thread(postfix.send, letter(number), HELP)
        await postfix.until_waiting(3)
        same = replace(edge, settings=edge.settings.model_copy(update={"lmtp_listen": edge.lmtp}))
        async with running_again(same, with_parser=True) as again:
            await _until(again, postfix, 3)
            assert again.count(RAW) == 3
            await postfix.until_waiting(0)


async def test_while_postgresql_is_away_the_mail_waits_at_postfix(settings: Settings) -> None:
    async with gateway(settings) as (gate, through), running_edge(through) as edge:
        there = replace(edge, settings=settings)
        with relaying(_port(edge)) as postfix:
            await asyncio.to_thread(postfix.send, letter(1), HELP)
            await there.until(RECEIVED, 1)
            gate.close()
            await asyncio.to_thread(postfix.send, letter(2), HELP)
            await asyncio.to_thread(postfix.send, letter(3), HELP, SALES)
            await postfix.until_waiting(2)
            assert "451 4.3.0 Nothing can be stored" in postfix.log()
            await gate.open()
            await _until(there, postfix, 4)
            assert there.count(RAW) == 4
            assert postfix.kept() == []


async def test_what_postfix_sends_again_for_want_of_an_answer_is_there_once(edge: Edge) -> None:
    between = Deaf("127.0.0.1", _port(edge))
    await between.open()
    with relaying(between.port, patience_seconds=1) as postfix:
        between.is_deaf = True
        await asyncio.to_thread(postfix.send, letter(1), HELP, SALES)
        await edge.until(RECEIVED, 2)
        await postfix.until_waiting(1)
        assert "timed out while sending end of data" in postfix.log()
        between.is_deaf = False
        between.speak()
        for _ in range(100):
            await asyncio.to_thread(postfix.flush)
            if postfix.waiting() == 0 and postfix.log().count("250 2.0.0 Kept") == 2:
                break
            await asyncio.sleep(0.1)
        assert postfix.log().count("250 2.0.0 Kept") == 2
    between.close()
    await edge.until(PENDING, 0)
    assert (edge.count(RECEIVED), edge.count(RAW)) == (2, 2)


async def test_a_mail_above_our_limit_is_reported_to_its_sender_in_words(edge: Edge) -> None:
    with relaying(_port(edge)) as postfix:
        lines = b"x" * 900 + b"\r\n"
        await asyncio.to_thread(postfix.send, letter(1) + lines * (27 * 1024 * 1024 // len(lines)), HELP)
        (report,) = await postfix.until_kept(1)
        assert postfix.waiting() == 0
    assert b"Status: 5.3.4" in report
    assert b"exceeds size limit 26214400" in report
    assert edge.count(RAW) == 0


async def test_its_report_on_a_mail_of_ours_is_a_receipt_at_the_address_that_it_was_sent_to(edge: Edge) -> None:
    """The envelope's sender names the recipient (VERP, as postfix writes it)."""
    ours = letter(7).replace(b"<7@example.com>", b"<our-7@shop.example>").replace(b"sara@example.com", HELP.encode())
    with relaying(_port(edge)) as postfix:
        await asyncio.to_thread(postfix.send, ours, NOBODY, sender=HELP, options=("XVERP=+=",))
        await edge.until(RECEIPTS, 1)
        await edge.until(RECEIVED, 1)
    (mail,) = await facts(edge.settings)
    assert mail["automatic"] == "bounce"
    assert mail["personal"]["recipient"] == "mailto:help+nobody=shop.example@shop.example"
    (receipt,) = await facts(edge.settings, "receipt.reported")
    assert (receipt["state"], receipt["error_code"], receipt["reported"]) == ("failed", "5.1.1", "failed")
    assert receipt["personal"]["address"] == f"mailto:{NOBODY}"
    assert "No such mailbox here" in receipt["personal"]["detail"]
