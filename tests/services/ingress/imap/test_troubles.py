"""What goes wrong between us and a mailbox: nothing is lost, nothing doubled, nobody hammered."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from services.ingress.imap import session, troubles
from services.settings import Settings
from tests.servers import SECRET
from tests.services.ingress.imap.between import between
from tests.services.ingress.imap.dovecot import PASSWORD, Dovecot, running
from tests.services.ingress.imap.hub import GAPS, NOTES, PLACE, RAW, RECEIVED, hub, letter

SEEN = rb"\Seen"


@pytest.fixture
def server() -> Iterator[Dovecot]:
    with running() as made:
        yield made


@pytest.mark.parametrize(("word", "place"), [(b"STORE", (3, 0)), (b"MOVE", (3, 0))])
async def test_killed_between_commit_and_mark(
    settings: Settings, server: Dovecot, word: bytes, place: tuple[int, int]
) -> None:
    server.append(letter(1), letter(2), letter(3))
    async with between(server.port, word) as way:
        given = {"after": "move"} if word == b"MOVE" else {}
        async with hub(settings, server, port=str(way.port), **given) as our:
            environment = {
                "DATABASE_URL": settings.database_url,
                "TAMAS_DATA": str(settings.data),
                "TAMAS_SECRET_KEY": SECRET,
            }
            command = [sys.executable, "-m", "services", "run", "imap"]
            process = await asyncio.create_subprocess_exec(*command, env={**os.environ, **environment})
            await asyncio.wait_for(way.held.wait(), 60)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            assert our.rows(RAW) == [(3,)]
            assert our.rows(PLACE) == [place]
            assert server.flagged(SEEN) == []
            way.word = None
            way.held.clear()
            async with our.running():
                await our.until(PLACE, 3, 3)
                await our.until(RECEIVED, 3)
            assert our.rows(RAW) == [(3,)]
            assert our.rows(GAPS) == []
            assert server.flagged(SEEN) == ([] if given else [1, 2, 3])


async def test_a_mailbox_numbered_anew_is_read_again_and_doubles_nothing(settings: Settings, server: Dovecot) -> None:
    with server.client() as client:
        client.create_folder("Help")
    server.append(*(letter(number) for number in range(5)), mailbox="Help")
    async with hub(settings, server, mailbox="Help") as our:
        async with our.running():
            await our.until(RECEIVED, 5)
        with server.client() as client:
            client.delete_folder("Help")
            client.create_folder("Help")
        server.append(*(letter(number) for number in range(6)), mailbox="Help")
        async with our.running():
            await our.until(RECEIVED, 6)
            await our.until(PLACE, 6, 6)
            await our.until(NOTES, given=("reread",))
        assert our.rows(RAW) == [(6,)]
        assert our.rows(GAPS) == []
        assert server.flagged(SEEN, "Help") == [1, 2, 3, 4, 5, 6]


async def test_what_vanished_before_we_came_is_told_once(settings: Settings, server: Dovecot) -> None:
    server.append(*(letter(number) for number in range(1, 6)))
    server.remove(2)
    async with hub(settings, server) as our:
        async with our.running():
            await our.until(PLACE, 5, 5)
            await our.until(RECEIVED, 4)
        assert our.rows(GAPS) == []
        # One that we have read may go; of those that come now, two go before we look.
        server.remove(3)
        server.append(*(letter(number) for number in range(6, 11)))
        server.remove(7, 8, 10)
        for _ in range(2):
            async with our.running():
                await our.until(PLACE, 10, 10)
                await our.until(RECEIVED, 6)
        assert our.rows(GAPS) == [("7:8,10",)]
        await our.until(NOTES, "vanished from INBOX before they were read: UID 7:8,10", given=("gap",))


async def test_a_wrong_password_is_told_and_not_tried_again_until_it_is_changed(
    settings: Settings, server: Dovecot
) -> None:
    server.append(letter(1))
    async with (
        between(server.port) as way,
        hub(settings, server, "a wrong one", port=str(way.port)) as our,
        our.running(),
    ):
        await our.until(NOTES, given=("refused",))
        await asyncio.sleep(3)
        assert len([said for said in way.commands if b"LOGIN" in said]) == 1
        ((reason,),) = our.rows(NOTES, "refused")
        assert f"127.0.0.1:{way.port} refuses the user and password of this inbox: " in reason
        await asyncio.to_thread(our.tenancy.change_inbox, "shop", our.inbox_id, {}, {"password": PASSWORD})
        await our.until(RECEIVED, 1)


async def test_a_connection_that_a_router_forgot(
    settings: Settings, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "READ_SECONDS", 1.0)
    async with (
        between(server.port, b"DONE") as way,
        hub(settings, server, port=str(way.port), idle_seconds="1") as our,
        our.running(),
    ):
        await asyncio.wait_for(way.held.wait(), 60)
        way.word = None
        await our.until(NOTES, f"127.0.0.1:{way.port} did not answer in time", given=("away",))
        way.held.clear()
        await asyncio.to_thread(server.append, letter(1))
        await our.until(RECEIVED, 1)


async def test_while_the_record_is_away_nothing_is_marked(
    settings: Settings, server: Dovecot, postgres_url: str
) -> None:
    async with hub(settings, server) as our, our.running():
        await our.until(PLACE, 0, 0)
        _allow_connections(postgres_url, settings, allowed=False)
        await asyncio.to_thread(server.append, letter(1))
        await asyncio.sleep(6)
        assert server.flagged(SEEN) == []
        _allow_connections(postgres_url, settings, allowed=True)
        await our.until(PLACE, 1, 1)
        await our.until(RECEIVED, 1)
        assert server.flagged(SEEN) == [1]


def _allow_connections(url: str, settings: Settings, *, allowed: bool) -> None:
    name = settings.record_url.rpartition("/")[2]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.Literal(allowed))
        )
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))


async def test_one_process_at_a_time_and_the_next_when_it_has_gone(settings: Settings, server: Dovecot) -> None:
    async with between(server.port) as way, hub(settings, server, port=str(way.port)) as our:
        async with our.running():
            await our.until(PLACE, 0, 0)
            async with our.running(with_parser=False):
                await asyncio.sleep(4)
                assert len([said for said in way.commands if b"LOGIN" in said]) == 1
            await asyncio.to_thread(server.append, letter(1))
            await our.until(RECEIVED, 1)
        async with our.running():
            await asyncio.to_thread(server.append, letter(2))
            await our.until(RECEIVED, 2)
        assert our.rows("SELECT max(epoch) FROM service.leases WHERE name LIKE 'imap:%%'") == [(2,)]


async def test_a_mail_over_which_the_connection_breaks_keeps_no_other_out(
    settings: Settings, server: Dovecot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(troubles, "_AWAY_SECONDS", (0.05, 0.1))
    server.append(letter(1), letter(2), letter(3))
    async with (
        between(server.port, breaks=re.compile(rb"UID FETCH (1,)?2[ ,].*BODY")) as way,
        hub(settings, server, port=str(way.port)) as our,
        our.running(),
    ):
        await our.until(PLACE, 3, 3)
        await our.until(RECEIVED, 2)
        ((reason,),) = our.rows("SELECT reason FROM service.parked")
        assert reason == "the connection breaks when it is asked for; the mail is in INBOX, UID 2"
        assert our.rows(GAPS) == []


async def test_a_user_who_may_only_read_reads(settings: Settings, server: Dovecot) -> None:
    server.append(letter(1))
    async with (
        between(server.port, instead=(b"SELECT", b"EXAMINE")) as way,
        hub(settings, server, port=str(way.port)) as our,
        our.running(),
    ):
        await our.until(RECEIVED, 1)
        await our.until(NOTES, given=("unmarked",))
        assert our.rows(PLACE) == [(1, 0)]
        way.instead = None
        await asyncio.to_thread(server.append, letter(2))
        await our.until(PLACE, 2, 2)
        assert server.flagged(SEEN) == [1, 2]
