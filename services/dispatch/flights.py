"""Sends that are on their way. They outlive a session: what the provider answered is kept until it is saved."""

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import structlog

from channels.sending import InDoubt, Outgoing, Rejected, Retryable, Sender, Wires
from services.dispatch.commands import Doubt, Refuse, Took
from services.dispatch.pacing import Pace

MOST: Final = 256
_LONGEST_SECONDS: Final = 120.0
_SILENT: Final = "The provider did not answer in time."
_FAULT: Final = "A fault of ours ended it in the middle of being handed over."
_LOG: Final = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Flight:
    """One attempt that is noted in the record."""

    message: Outgoing
    sender: Sender
    pace: Pace


@dataclass(frozen=True, slots=True)
class Landed:
    """How an attempt ended, not yet saved."""

    message_id: UUID
    ended: Took | Refuse | Doubt


class Flights:
    """Of one process."""

    def __init__(self, wires: Wires, chance: Callable[[], float]) -> None:
        """`chance` gives numbers in [0, 1) that spread the next tries of what was refused."""
        self._wires: Final = wires
        self._chance: Final = chance
        self._running: Final[dict[UUID, asyncio.Task[None]]] = {}
        self.landed: Final[list[Landed]] = []

    def __len__(self) -> int:
        return len(self._running)

    def has(self, message_id: UUID) -> bool:
        """Whether it is on its way, or its end is not saved."""
        return message_id in self._running or any(one.message_id == message_id for one in self.landed)

    def launch(self, flights: Iterable[Flight]) -> None:
        """Their attempts are saved: begin."""
        for flight in flights:
            task = asyncio.create_task(self._fly(flight), name="dispatch-send")
            self._running[flight.message.message_id] = task

    def never_began(self, flights: Iterable[Flight]) -> None:
        """It is not known whether their attempts were saved, so they did not begin: an end that is certain."""
        for flight in flights:
            why = "It was not handed over: the record could not be reached."
            refused = Refuse(flight.message.attempt, "not_begun", why, datetime.now(UTC), chance=self._chance())
            self.landed.append(Landed(flight.message.message_id, refused))

    def saved(self, count: int) -> None:
        """The first so many ends are in the record."""
        del self.landed[:count]

    async def end(self, seconds: float) -> None:
        """Wait for what is on its way, for so long at most; what is cut off then is in doubt."""
        if self._running:
            _, late = await asyncio.wait(list(self._running.values()), timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _fly(self, flight: Flight) -> None:
        message_id, ended = flight.message.message_id, await self._ended(flight)
        if isinstance(ended, Took) or (isinstance(ended, Refuse) and ended.lasting):
            flight.pace.took()
        else:
            flight.pace.refused(time.monotonic())
        self.landed.append(Landed(message_id, ended))
        self._running.pop(message_id, None)

    async def _ended(self, flight: Flight) -> Took | Refuse | Doubt:
        message, attempt, why = flight.message, flight.message.attempt, _SILENT
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                handed_off = await flight.sender.send(message, self._wires)
        except Retryable as refused:
            now, chance = datetime.now(UTC), self._chance()
            after_seconds = refused.after_seconds
            return Refuse(attempt, refused.code, refused.why, now, after_seconds=after_seconds, chance=chance)
        except Rejected as refused:
            return Refuse(attempt, refused.code, refused.why, datetime.now(UTC), lasting=True)
        except InDoubt as doubt:
            why = doubt.why
        except (TimeoutError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001 - whatever a sender fails on, this message may have left
            _LOG.exception("dispatch.sender_failed", message_id=str(message.message_id), error=type(error).__name__)
            why = _FAULT
        else:
            provider_id = handed_off.provider_id
            return Took(attempt, provider_id, message.origin.derive(provider_id, "interaction"))
        if flight.sender.idempotent:
            return Refuse(attempt, "unanswered", why, datetime.now(UTC), chance=self._chance())
        return Doubt(attempt, why)
