"""The edge: webhooks, forms and mail on one intake; and beside it parser workers and who fetches mail."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import structlog

from channels.chat.widget_frames import FRAME_BYTES
from services import database
from services.blobs import BlobStore
from services.ingress.chat import Chat
from services.ingress.chat_limits import BURST, PER_SECOND
from services.ingress.chat_lines import Lines
from services.ingress.chat_seen import Seen
from services.ingress.chat_session import Floor
from services.ingress.direct import direct
from services.ingress.doors import Doors
from services.ingress.drain import Drain
from services.ingress.figures import Figures
from services.ingress.forms import Forms
from services.ingress.hooks import Hooks
from services.ingress.imap.desk import Desk
from services.ingress.imap.pollers import Pollers
from services.ingress.intake import Intake
from services.ingress.mail import MailDoor, listen
from services.ingress.parser import Parser
from services.ingress.pending import Pending
from services.ingress.proxy import Behind
from services.ingress.requests import RequestLog
from services.ingress.spool import Spool
from services.ingress.tally import Tally, gaps, told
from services.keys.erasures import Erasures
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.limits import Limits
from services.metrics.meters import watch
from services.record.reader import Reader
from services.serve import address_of, bound, serve
from services.settings import Settings
from services.tenancy.directory import Directory
from services.tenancy.fresh import keep_fresh
from services.tenancy.tokens import Authenticator

_THREADS: Final = 64
"""Only who waits for a server's answer takes one; a mailbox that is watched for news takes none."""
_PATIENCE_SECONDS: Final = 2.5
"""For a statement of the edge: a group that waits for keys is still answered in time."""
_LOG: Final = structlog.get_logger()


@contextlib.asynccontextmanager
async def _floor(settings: Settings, role: str, options: str = "") -> AsyncGenerator[tuple[Any, Ring, Directory]]:
    """What both kinds of process stand on: a pool to the record, keys, and the directory of inboxes."""
    vault = Vault(settings.secrets())
    record = database.pool(
        settings.record_url, size=4, role=role, options=options, name=role, patience_seconds=_PATIENCE_SECONDS
    )
    keys = database.pool(settings.keys_url, size=4, name=f"{role}-keys", patience_seconds=_PATIENCE_SECONDS)
    await record.open()
    await keys.open()
    directory = Directory(record, keys, vault)
    await directory.refresh()
    ring = Ring(keys, vault)
    refreshing = asyncio.create_task(keep_fresh(directory, Erasures(keys, ring)))
    try:
        yield record, ring, directory
    finally:
        refreshing.cancel()
        await asyncio.gather(refreshing, return_exceptions=True)
        await record.close()
        await keys.close()


@contextlib.asynccontextmanager
async def _lines(settings: Settings, ring: Ring) -> AsyncGenerator[tuple[Lines, Seen]]:
    """What chats have on the record: ingress itself may only insert there."""
    async with database.pool(
        settings.record_url, size=4, role="tamas_chat", name="tamas_chat", patience_seconds=_PATIENCE_SECONDS
    ) as pool:
        lines = Lines(pool, Reader(pool, ring), ring)
        watching = asyncio.create_task(lines.run())
        yield lines, Seen(pool)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def run(settings: Settings, stop: asyncio.Event, ready: Callable[[dict[str, str]], None]) -> None:
    """Serve every door until `stop`. `ready` is told the addresses that were taken."""
    async with _floor(settings, "tamas_ingress") as (record, ring, directory), _lines(settings, ring) as (lines, seen):
        tally = Tally()
        blobs = BlobStore(settings.blob_url)
        spool = Spool(settings.spool, settings.spool_limit_bytes, Vault(settings.secrets()))
        await spool.adopt()
        intake = Intake(settings.record_url, ring, blobs, spool=spool, tally=tally)
        intake.start()
        draining = asyncio.create_task(
            Drain(settings.record_url, spool, intake, directory, ring=ring, blobs=blobs, tally=tally).run(stop)
        )
        told(tally, directory, lambda: intake.waiting, lambda: _away_seconds(intake))
        watch("tamas_spool_waiting_requests", lambda: {(): spool.waiting})
        log = RequestLog(record, tally)
        logging = asyncio.create_task(log.run(stop))
        taken = bound(settings.http_listen)
        http = address_of(taken)
        public_url = settings.public_url_for(http)
        behind = Behind(f"http://{settings.api_listen}") if settings.api_listen else None
        hooks = Hooks(directory, intake, log, public_url)
        forms = Forms(directory, intake, log, public_url)
        doors = Doors(
            hooks,
            forms,
            Chat(directory, Floor(intake, log, lines, seen, ring, Limits(PER_SECOND, BURST)), public_url),
            Figures(settings.data, Authenticator(record), tally),
            readiness=lambda: _readiness(intake, spool, directory),
            behind=behind,
        )
        door = MailDoor(directory, intake, log)
        mail = {"smtp": await listen(door, settings.smtp_listen)}
        if settings.lmtp_listen:
            mail["lmtp"] = await listen(door, settings.lmtp_listen, lmtp=True)
        ready({"http": f"http://{http}", **{name: address for name, (_, address) in mail.items()}})
        await serve(doors, taken, stop, http=direct(hooks, forms), frame_bytes=FRAME_BYTES)
        for server, _ in mail.values():
            server.close()
        await intake.stop()
        await draining
        await spool.close()
        await log.flush()
        logging.cancel()
        if behind is not None:
            await behind.close()


async def run_parser(settings: Settings, stop: asyncio.Event, ready: Callable[[dict[str, str]], None]) -> None:
    """Make facts of what was taken raw, until `stop`."""
    # Claims need not outlive a crash of PostgreSQL. Facts have a writer of their own, which waits for the disk.
    async with _floor(settings, "tamas_parser", "-c synchronous_commit=off") as (record, ring, directory):
        parser = Parser(Pending(record), settings.record_url, ring, BlobStore(settings.blob_url), directory)
        await parser.run(stop, lambda: ready({}))


async def run_imap(settings: Settings, stop: asyncio.Event, ready: Callable[[dict[str, str]], None]) -> None:
    """Fetch mail from the mailboxes of all `email/imap` inboxes, until `stop`."""
    async with _floor(settings, "tamas_ingress") as (record, ring, directory):
        tally = Tally()
        # One writer: what is committed keeps the order of the mailbox.
        intake = Intake(settings.record_url, ring, BlobStore(settings.blob_url), writers=1, tally=tally)
        intake.start()
        told(tally, directory, lambda: intake.waiting, lambda: _away_seconds(intake))
        log = RequestLog(record, tally)
        logging = asyncio.create_task(log.run(stop))
        threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="imap")
        desk = Desk(settings.record_url, settings.topic_prefix, intake, log, partial(_on, threads))
        watch("tamas_mailbox_gaps", lambda: gaps(desk.counts, directory))
        ready({})
        await Pollers(record, directory, desk).run(stop)
        threads.shutdown(wait=False, cancel_futures=True)
        await intake.stop()
        await log.flush()
        logging.cancel()


async def _on(threads: ThreadPoolExecutor, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(threads, partial(work, *given, **named))


def _away_seconds(intake: Intake) -> float:
    return 0.0 if intake.away_since is None else time.monotonic() - intake.away_since


def _readiness(intake: Intake, spool: Spool, directory: Directory) -> dict[str, Any]:
    """Ready while PostgreSQL or the spool can take a request; Kafka does not count here."""
    away = intake.away_since
    detail = "ok" if away is None else f"takes nothing since {time.monotonic() - away:.0f} s"
    postgres = {"ok": away is None and not directory.away, "detail": detail}
    spooling = spool.status()
    # The spool takes what is for an inbox that is known here.
    is_ready = postgres["ok"] or (spooling["ok"] and bool(directory.all()))
    return {"ready": is_ready, "role": "ingress", "checks": {"postgres": postgres, "spool": spooling}}
