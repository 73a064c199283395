"""The next way, where the first one brought no delivery in time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg_pool import AsyncConnectionPool

from channels.capabilities import CAPABILITIES
from schemas.outbound import Explained, MessageResolved, RejectedWay
from services.customers.on_file import OnFile, on_file
from services.dispatch.exits import Exits
from services.dispatch.folding import LESS_PREFERRED
from services.dispatch.opened import Opened
from services.keys.ring import Ring
from services.record.errors import Refused
from services.record.reader import Reader
from services.resolving.allowed import last_word
from services.resolving.asked import Message
from services.resolving.known import consents, preference
from services.resolving.quiet import quiet_until
from services.resolving.rendering import plain, rendered
from services.resolving.words import read

_CODE: Final = "no_delivery"


@dataclass(frozen=True, slots=True)
class NextWays:
    """Finds them: those that were possible at first, unless the customer forbade them or the inbox closed since."""

    record: AsyncConnectionPool
    reader: Reader
    ring: Ring
    exits: Exits

    async def after(self, one: Opened, zone: str, now: datetime) -> MessageResolved | None:
        """The second resolution, held while the customer's night lasts; None when there is no other way."""
        for way, why in zip(one.first.rejected, one.first_told.rejected, strict=False):
            if way.code != LESS_PREFERRED or way.inbox_id is None or why.address is None:
                continue
            if await self._is_shut(one.tenant, way.inbox_id, way.channel, why.address):
                continue
            return self._resolved(one, way, why.address, await self._quiet_until(one, zone, now))
        return None

    async def _is_shut(self, tenant: str, inbox_id: UUID, channel: str, address: str) -> bool:
        try:
            await self.exits.find(tenant, inbox_id)
        except Refused:
            return True
        last = last_word(consents(address, await self._on_file(tenant, address)), address, channel)
        return last is not None and not last.granted

    async def _on_file(self, tenant: str, address: str) -> OnFile:
        subject = await self.ring.find(tenant, address)
        return OnFile() if subject is None else await on_file(self.record, self.reader, tenant, subject.address_id)

    async def _quiet_until(self, one: Opened, zone: str, now: datetime) -> datetime | None:
        liked = preference(await self._on_file(one.tenant, one.said.address))
        hours = liked.quiet_hours
        return None if hours is None else quiet_until(hours, ZoneInfo(liked.time_zone or zone), now)

    def _resolved(self, one: Opened, way: RejectedWay, address: str, until: datetime | None) -> MessageResolved:
        channel = way.channel
        message = Message(one.said.text, one.said.html, len(one.asked.attachments))
        written = rendered(message, CAPABILITIES[channel], plain(message))
        why = f"{read(one.first.channel or '')} brought no delivery in time; {read(channel)} is the next way."
        told = Explained(
            address=address,
            why=why[0].upper() + why[1:],
            hold_why=None if until is None else "Quiet hours: it waits until they are over.",
        )
        return MessageResolved(
            message_id=one.asked.message_id,
            round=2,
            channel=channel,
            inbox_id=way.inbox_id,
            code=_CODE,
            form=written.form,
            encoding=written.encoding,
            segments=written.segments,
            language=one.first.language,
            hold_until=until,
            personal=told,
        )
