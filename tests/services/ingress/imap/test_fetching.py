"""Mail from a real IMAP server into the record."""

import asyncio
import signal
from collections.abc import Iterator

import pytest

from services.demo import mails
from services.ingress.imap.session import KEYWORD
from services.settings import Settings
from tests.services.ingress.imap.dovecot import Dovecot, running
from tests.services.ingress.imap.hub import NOTES, PARKED, PLACE, RAW, RECEIVED, hub, letter

SEEN = rb"\Seen"


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with running() as made:
        yield made


async def test_every_mail_is_read_once_marked_and_new_ones_are_told_by_the_server(
    settings: Settings, server: Dovecot
) -> None:
    server.append(*(letter(number) for number in range(30)))
    # Without IDLE the next look would be far off.
    async with hub(settings, server, poll_seconds="3600") as our:
        async with our.running():
            await our.until(RECEIVED, 30)
            await our.until(PLACE, 30, 30)
            assert server.flagged(SEEN) == list(range(1, 31))
            for number in range(30, 34):
                await asyncio.to_thread(server.append, letter(number))
                await our.until(RECEIVED, number + 1)
        async with our.running():
            await asyncio.to_thread(server.append, letter(34))
            await our.until(RECEIVED, 35)
        assert our.rows(RAW) == [(35,)]


async def test_facts_are_those_of_the_channel_and_follow_the_mailbox(settings: Settings, server: Dovecot) -> None:
    server.append(*(letter(number) for number in range(500)))
    async with hub(settings, server) as our, our.running():
        await our.until(RECEIVED, 500)
        order = our.rows("SELECT raw_id FROM record.facts ORDER BY position")
        assert order == our.rows("SELECT raw_id FROM record.raw ORDER BY raw_id")
        channels = "SELECT DISTINCT convert_from(data, 'UTF8')::json ->> 'channel', inbox_id FROM record.facts"
        assert our.rows(channels) == [("email/imap", our.inbox_id)]


@pytest.mark.parametrize(("after", "mark"), [("seen", SEEN), ("keyword", KEYWORD.encode())])
async def test_what_is_on_the_record_is_marked_as_set(
    settings: Settings, server: Dovecot, after: str, mark: bytes
) -> None:
    server.append(letter(1), letter(2))
    async with hub(settings, server, after=after) as our, our.running():
        await our.until(PLACE, 2, 2)
        assert server.flagged(mark) == [1, 2]
        assert server.flagged(SEEN if after == "keyword" else KEYWORD.encode()) == []


async def test_or_moved_to_a_folder_that_is_made(settings: Settings, server: Dovecot) -> None:
    server.append(letter(1), letter(2))
    async with hub(settings, server, after="move", folder="On record") as our, our.running():
        await our.until(PLACE, 2, 2)
        await asyncio.to_thread(server.append, letter(3))
        await our.until(PLACE, 3, 3)
        await our.until(RECEIVED, 3)
    with server.client("INBOX") as client:
        assert client.search("ALL") == []
    with server.client("On record") as client:
        assert len(client.search("ALL")) == 3


async def test_several_mailboxes_and_a_server_that_tells_nothing(settings: Settings) -> None:
    with running(capability="IMAP4rev1 MOVE UIDPLUS") as server:
        with server.client() as client:
            client.create_folder("Support.فارسی")
        async with hub(settings, server, mailbox="INBOX, Support.فارسی", poll_seconds="1") as our, our.running():
            await asyncio.to_thread(server.append, letter(1))
            await asyncio.to_thread(server.append, letter(2), letter(1), mailbox="Support.فارسی")
            await our.until(RECEIVED, 2)
            assert server.flagged(SEEN, "Support.فارسی") == [1, 2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_a_server_that_was_away(settings: Settings, server: Dovecot, number: signal.Signals) -> None:
    server.append(letter(1))
    async with hub(settings, server) as our, our.running():
        await our.until(PLACE, 1, 1)
        await asyncio.to_thread(server.stop, number)
        await our.until(NOTES, given=("away",))
        await asyncio.to_thread(server.start)
        await asyncio.to_thread(server.append, letter(2))
        await our.until(RECEIVED, 2)


async def test_what_cannot_be_read_is_parked_and_marked(settings: Settings, server: Dovecot) -> None:
    server.append(mails.undecodable("x@example.com", "help@shop.example"), letter(2))
    async with hub(settings, server) as our, our.running():
        await our.until(RECEIVED, 1)
        await our.until(PARKED, 1)
        await our.until(PLACE, 2, 2)


async def test_of_a_mail_above_the_limit_the_header_is_parked(settings: Settings, server: Dovecot) -> None:
    server.append(letter(1), letter(2, "x" * (26 << 20)), letter(3))
    async with hub(settings, server) as our, our.running():
        await our.until(RECEIVED, 2)
        await our.until(PLACE, 3, 3)
    size = len(letter(2, "x" * (26 << 20)))
    wanted = f"the mail has {size} bytes, more than 25 MiB: only its header was kept; the mail is in INBOX, UID 2"
    assert our.rows("SELECT reason FROM service.parked") == [(wanted,)]
