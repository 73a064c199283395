"""A mail of ours goes out by a real postfix; whatever comes back, a bounce or the customer's answer, finds it."""

import asyncio
import email
import email.policy
import smtplib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any
from uuid import UUID, uuid4

import pytest

from channels.contract import Origin
from channels.email.send import MailSender
from channels.email.smtp import SmtpConfig
from channels.sending import Enclosed, HandedOff, Outgoing, Retryable, Thread, Wires
from services.conversations.touches import Mail, Touch, item_of
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.reader import Reader
from services.reply_key import reply_key
from services.settings import Settings
from services.wires.wires import open_wires
from tests.channels.outgoing import outgoing
from tests.services.ingress.edge import Edge, running_edge
from tests.services.ingress.mail.postfix import Postfix, relaying
from tests.services.ingress.mail.seen import RECEIPTS, RECEIVED, facts

HELP, SARA, NOBODY = "help@shop.example", "sara@example.com", "nobody@shop.example"
ORIGIN = Origin("shop", f"smtp:{HELP}")
CONVERSATION = uuid4()


@dataclass
class Way:
    """Out by postfix, in by our LMTP."""

    edge: Edge
    postfix: Postfix
    wires: Wires
    ring: Ring

    async def send(self, **given: Any) -> tuple[Outgoing, HandedOff]:
        made: dict[str, Any] = {
            "message_id": uuid4(),
            "origin": ORIGIN,
            "address": f"mailto:{SARA}",
            "text": "سفارش شما در راه است.\n.\nFrom us",
            "form": "html",
            "html": "<p dir=rtl>سفارش شما در راه است.</p>",
            "sent_at": datetime.now(UTC),
            "reply_key": await reply_key(self.ring, "shop", CONVERSATION),
        }
        message = outgoing(**{**made, **given})
        config = SmtpConfig(
            address=HELP,
            from_name="فروشگاه",
            smtp_host="127.0.0.1",
            smtp_port=self.postfix.port,
            smtp_security="none",
            plus_addressing="on",
        )
        return message, await MailSender(config).send(message, self.wires)

    async def touches(self) -> list[Touch]:
        async with pool(self.edge.settings.record_url, size=1) as record:
            rows = await Reader(record, self.ring).read(0, 1000)
        items = [await item_of(row, self.ring) for row in rows if row.type == "interaction.received"]
        return [item for item in items if isinstance(item, Touch)]


@pytest.fixture
async def way(settings: Settings) -> AsyncGenerator[Way]:
    async with running_edge(settings) as edge, pool(settings.keys_url, size=1) as keys:
        # A postfix that is told to end waits for whom it talks to.
        with relaying(int(edge.lmtp.rpartition(":")[2])) as postfix:
            async with open_wires() as wires:
                yield Way(edge, postfix, wires, Ring(keys, Vault(settings.secrets())))


def _parsed(raw: bytes) -> EmailMessage:
    found = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


async def test_a_mail_arrives_with_its_text_its_files_and_its_place_in_the_thread(way: Way) -> None:
    thread = Thread("سفارش ۱۲", "<q2@example.com>", ("<q1@example.com>", "<ours@shop.example>", "<q2@example.com>"))
    files = (Enclosed("فاکتور.pdf", "application/pdf", bytes(range(256)) * 40),)
    await way.send(thread=thread, attachments=files)
    (raw,) = await way.postfix.until_kept(1)
    mail = _parsed(raw)
    assert mail["Subject"] == "Re: سفارش ۱۲"
    assert mail["From"] == "فروشگاه <help@shop.example>"
    assert mail["References"].split() == ["<q1@example.com>", "<ours@shop.example>", "<q2@example.com>"]
    assert mail["In-Reply-To"] == "<q2@example.com>"
    plain = mail.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().replace("\r", "") == "سفارش شما در راه است.\n.\nFrom us\n"
    (file,) = mail.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("فاکتور.pdf", files[0].content)
    assert mail["Return-Path"].startswith("<help+b-")


async def test_a_bounce_is_a_receipt_of_what_was_handed_off(way: Way) -> None:
    _, handed = await way.send(address=f"mailto:{NOBODY}")
    await way.edge.until(RECEIPTS, 1)
    (receipt,) = await facts(way.edge.settings, "receipt.reported")
    assert (receipt["state"], receipt["error_code"]) == ("failed", "5.1.1")
    assert UUID(receipt["interaction_id"]) == ORIGIN.derive(handed.provider_id, "interaction")
    assert receipt["personal"]["address"] == f"mailto:{NOBODY}"
    (report,) = await facts(way.edge.settings)
    assert report["automatic"] == "bounce"
    assert report["personal"]["recipient"] == f"mailto:help+b-{handed.provider_id}@shop.example"


@pytest.mark.parametrize("program", ["keeps the thread", "loses the thread"])
async def test_the_customers_answer_names_the_conversation(way: Way, program: str) -> None:
    await way.send()
    (raw,) = await way.postfix.until_kept(1)
    ours, answer = _parsed(raw), EmailMessage()
    answer["From"], answer["Subject"], answer["Message-ID"] = SARA, f"Re: {ours['Subject']}", "<a1@example.com>"
    if program == "keeps the thread":
        answer["To"], answer["In-Reply-To"] = HELP, ours["Message-ID"]
    else:
        answer["To"] = ours["Reply-To"].addresses[0].addr_spec
    answer.set_content("Thank you!")
    await asyncio.to_thread(way.postfix.send, answer.as_bytes(), answer["To"].addresses[0].addr_spec)
    await way.edge.until(RECEIVED, 1)
    (touch,) = await way.touches()
    ground = "message_id" if program == "keeps the thread" else "reply_key"
    assert touch.mail == Mail(touch.mail.own, touch.mail.refers_to, ((ground, CONVERSATION),))  # type: ignore[union-attr]


async def test_a_forged_key_names_nothing(way: Way) -> None:
    message, _ = await way.send()
    assert message.reply_key is not None
    forged = message.reply_key[:-1] + ("a" if message.reply_key[-1] != "a" else "b")
    answer = EmailMessage()
    answer["From"], answer["To"], answer["Message-ID"] = SARA, f"help+{forged}@shop.example", "<a1@example.com>"
    answer.set_content("Thank you!")
    await asyncio.to_thread(way.postfix.send, answer.as_bytes(), answer["To"])
    await way.edge.until(RECEIVED, 1)
    (touch,) = await way.touches()
    assert touch.mail is not None
    assert touch.mail.keys == ()


async def test_persian_addresses_are_reached(way: Way) -> None:
    await way.send(address="mailto:سارا@example.com")
    (raw,) = await way.postfix.until_kept(1)
    assert "\nTo: سارا@example.com\n".encode() in raw.replace(b"\r", b"")


async def test_while_postfix_is_away_a_mail_is_tried_again(way: Way) -> None:
    gone = replace(way, postfix=replace(way.postfix, port=1))
    with pytest.raises(Retryable):
        await gone.send()
    await way.send()
    assert len(await way.postfix.until_kept(1)) == 1


async def test_a_hundred_mails_are_there_once_each(way: Way) -> None:
    handed = await asyncio.gather(*[way.send() for _ in range(100)])
    kept = await way.postfix.until_kept(100)
    names = sorted(_parsed(raw)["Message-ID"][1:27] for raw in kept)
    assert names == sorted(one.provider_id for _, one in handed)
    smtplib.SMTP("127.0.0.1", way.postfix.port).close()
