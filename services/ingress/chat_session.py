"""One visitor at one socket: what they write goes into the record, what their thread has comes out, each line once.

Lines and acks leave in the order of their numbers from one task that reads the thread: `sent` only grows, so nothing is
doubled or left out, whoever wrote a line and through which process.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import psycopg

from channels.chat import widget_frames as frames
from channels.chat.widget import Widget
from channels.contract import InboundRequest
from channels.errors import Malformed
from services.ingress.chat_lines import MOST, Line, Lines
from services.ingress.chat_seen import Seen
from services.ingress.chat_shown import shown
from services.ingress.chat_wire import Wire
from services.ingress.intake import Intake
from services.ingress.requests import RequestLog
from services.ingress.submission import Submission
from services.keys.ring import Ring
from services.limits import Limits
from services.tenancy.directory import Inbox

_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Floor:
    """What every session stands on."""

    intake: Intake
    requests: RequestLog
    lines: Lines
    seen: Seen
    ring: Ring
    pace: Limits


@dataclass(frozen=True, slots=True)
class Visit:
    """Who came: the handshake, and the hello with the visitor's id in it. `spoken` are both sides' first frames."""

    inbox: Inbox
    handler: Widget
    url: str
    headers: tuple[tuple[str, str], ...]
    hello: frames.Hello
    spoken: tuple[bytes, bytes]

    @property
    def address(self) -> str:
        """The visitor's."""
        return self.handler.address(self.inbox.origin, self.hello)

    def request(self, frame: str | bytes, *ours: bytes) -> InboundRequest:
        """The frames that say all of one message, as `tamas parse` reads them again; `ours` are those it speaks of.

        The address stands beside them, so that an erasure finds also what could not be read.
        """
        last = frame if isinstance(frame, bytes) else frame.encode()
        body = b"[" + b",".join((*self.spoken, *ours, last)) + b"]"
        headers = (*self.headers, ("tamas-address", self.address))
        return InboundRequest("GET", self.url, headers, body, datetime.now(UTC), self.inbox.origin)


class Session:
    """From welcome to the end of the socket."""

    def __init__(self, floor: Floor, wire: Wire, visit: Visit) -> None:
        """The hello has been checked."""
        self._floor: Final = floor
        self._wire: Final = wire
        self._visit: Final = visit
        self._tenant: Final = visit.inbox.tenant
        self._address: Final = visit.address
        self._news: Final = asyncio.Event()
        self._unacked: Final[defaultdict[UUID, list[str]]] = defaultdict(list)
        self._told: Final = {False: 0, True: 0}
        """Up to which number it is known that our lines were shown, and read."""
        self._sent = 0
        self._is_over = False

    async def run(self) -> None:
        """Raises `Gone` when the visitor leaves, `Away` and `psycopg.OperationalError` while nothing can be stored."""
        thread = await self._thread()
        with self._floor.lines.watched(thread, self._news):
            await self._floor.lines.catch_up()
            stand = await self._floor.seen.stand(self._tenant, thread)
            # A thread shorter than what the script has seen is a new one: the old one was erased.
            self._sent = self._visit.hello.after if self._visit.hello.after <= stand.last else 0
            self._told.update({False: stand.delivered, True: stand.read})
            read = {"read": stand.read} if stand.read else {}
            await self._wire.say({"t": "welcome", "visitor": self._visit.hello.visitor, "last": stand.last, **read})
            tasks = {asyncio.create_task(self._listen(thread)), asyncio.create_task(self._tell(thread))}
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                # A pool that gives out a connection at the very moment swallows the cancellation (psycopg_pool 3.3).
                self._is_over = True
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _thread(self) -> UUID:
        pair = (self._tenant, self._address)
        return (await self._floor.ring.subjects({pair}))[pair].address_id

    async def _listen(self, thread: UUID) -> None:
        while not self._is_over:
            frame = await self._wire.heard()
            read, said = _understood(frame)
            # What is seen is paced apart: who has much to read can write as much as others.
            if self._floor.pace.take((self._tenant, self._address, isinstance(said, frames.Seen))):
                await self._wire.close(frames.TOO_FAST, "wait some seconds")
                return
            if isinstance(said, Malformed):
                await self._wire.say({"t": "error", "code": "malformed", "detail": str(said), **_id_in(read)})
            elif isinstance(said, frames.Seen):
                await self._note(thread, said, frame)
            else:
                await self._keep(thread, read["id"], frame)

    async def _keep(self, thread: UUID, given_id: str, frame: str | bytes) -> None:
        one = Submission(self._visit.request(frame), self._visit.inbox.inbox_id)
        one.heard = self._visit.handler.parse(one.request)
        (event_id,) = one.event_ids
        # Before the commit: from then on its line may come at any moment, and is to be an ack here.
        self._unacked[event_id].append(given_id)
        outcome = await self._floor.intake.submit(one)
        if outcome.result == "parked":
            self._unacked.pop(event_id, None)
            detail = "This message was kept, but cannot be read."
            await self._wire.say({"t": "error", "code": "parked", "detail": detail, "id": given_id})
            return
        await self._floor.lines.catch_up()
        if outcome.result == "duplicate":
            self._floor.requests.repeated(self._visit.inbox, one)
            await self._ack_again(thread, event_id)
        elif await self._thread() != thread:
            # The visitor was erased while this socket was open: the thread has a new beginning.
            await self._wire.close(frames.TRY_LATER, "connect again")

    async def _note(self, thread: UUID, seen: frames.Seen, frame: str | bytes) -> None:
        """Tell what was shown since it was last told. Nobody can have shown what was not sent."""
        if await self._thread() != thread:
            await self._wire.close(frames.TRY_LATER, "connect again")
            return
        up_to = min(seen.number, self._sent)
        if up_to <= self._told[seen.is_read]:
            return
        while ours := await self._floor.seen.untold(self._tenant, thread, up_to, is_read=seen.is_read):
            one = Submission(self._visit.request(frame, *frames.shown(ours)), self._visit.inbox.inbox_id)
            one.heard = self._visit.handler.parse(one.request)
            await self._floor.intake.submit(one)
            await self._floor.seen.note(self._tenant, thread, max(ours), is_read=seen.is_read)
            if max(ours) == up_to:
                break
        self._told[seen.is_read] = up_to

    async def _ack_again(self, thread: UUID, event_id: UUID) -> None:
        """Here if its line is behind us; else it comes with the line."""
        line = await self._floor.lines.of(self._tenant, event_id)
        if line is None:
            raise LookupError(f"the event {event_id} was committed and has no number")
        if line.address_id != thread or line.number <= self._sent:
            await self._ack(line)

    async def _ack(self, line: Line) -> None:
        """Once for each time that it was sent."""
        for given_id in self._unacked.pop(line.event_id, ()):
            await self._wire.say({"t": "ack", "id": given_id, "number": line.number, "event_id": line.event_id})

    async def _tell(self, thread: UUID) -> None:
        while not self._is_over:
            self._news.clear()
            try:
                lines = await self._floor.lines.after(self._tenant, thread, self._sent)
                found = await self._floor.lines.read([one for one in lines if one.event_id not in self._unacked])
            except (psycopg.OperationalError, OSError, TimeoutError):
                # Who only listens need not be sent away: nothing is lost, it is read again.
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            for line in lines:
                self._sent = line.number
                if line.event_id in self._unacked:
                    await self._ack(line)
                else:
                    await self._wire.say(shown(line, found[line.event_id]))
            if len(lines) < MOST and not self._is_over:
                await self._news.wait()


def _understood(frame: str | bytes) -> tuple[dict[str, Any], frames.Said | frames.Seen | Malformed]:
    """The frame as it came, empty where it is none, and what it says."""
    read: dict[str, Any] = {}
    try:
        read = frames.read(frame)
        return read, frames.spoken(read)
    except Malformed as error:
        return read, error


def _id_in(read: Mapping[str, Any]) -> dict[str, str]:
    """The id of a refused message, so that the script can show which it was."""
    found = read.get("id")
    return {"id": found[:36]} if isinstance(found, str) else {}
