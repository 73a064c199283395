"""From what stands in the record to what a sender is given."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from channels.sending import Enclosed, Outgoing
from schemas.reference import reference
from services.blobs import BlobStore
from services.dispatch.exits import Exit
from services.dispatch.opened import Opened
from services.dispatch.threads import NOTHING, Before
from services.keys.ring import Ring, Subject
from services.record.errors import Refused
from services.reply_key import reply_key


@dataclass(frozen=True, slots=True)
class Composer:
    """What composing takes besides the message."""

    ring: Ring
    blobs: BlobStore

    async def compose(self, one: Opened, leaves: Exit, before: Before | None, attempt: int, at: datetime) -> Outgoing:
        """The message of this attempt.

        Raises:
            Refused: a file that belongs to it is not there any more.
        """
        asked, resolved, address = one.asked, one.resolved, one.told.address
        if address is None:
            raise Refused("It is not known where it should go.")
        of = asked.conversation_id
        return Outgoing(
            message_id=asked.message_id,
            attempt=attempt,
            origin=leaves.inbox.origin,
            address=address,
            text=one.said.text,
            form=resolved.form or "text",
            language=resolved.language or leaves.inbox.language,
            reference=reference(asked.message_id) if before is None else before.reference,
            sent_at=at,
            status_url=leaves.status_url,
            html=one.said.html,
            automatic=asked.automatic,
            reply_key=None if of is None else await reply_key(self.ring, one.tenant, of),
            thread=NOTHING if before is None else before.thread,
            attachments=await self._enclosed(one),
        )

    async def _enclosed(self, one: Opened) -> tuple[Enclosed, ...]:
        if not one.asked.attachments:
            return ()
        names = {named.attachment_id: named.name for named in one.said.attachments}
        subject = await self.subject(one.asked.address_id)
        found: list[Enclosed] = []
        for attachment in one.asked.attachments:
            content = await self.blobs.get(one.tenant, subject, attachment.attachment_id)
            if content is None:
                raise Refused("A file that belongs to it is not there any more.")
            found.append(Enclosed(names.get(attachment.attachment_id), attachment.media_type, content))
        return tuple(found)

    async def receivers(self, ones: Collection[Opened]) -> dict[UUID, UUID]:
        """Whom each message goes to, as receipts name them: mostly who asked, else found by address."""
        found = {one.asked.message_id: one.asked.address_id for one in ones if one.told.address == one.said.address}
        pairs = {
            one.asked.message_id: (one.tenant, one.told.address)
            for one in ones
            if one.asked.message_id not in found and one.told.address is not None
        }
        subjects = await self.ring.subjects(set(pairs.values())) if pairs else {}
        return found | {message_id: subjects[pair].address_id for message_id, pair in pairs.items()}

    async def subject(self, address_id: UUID) -> Subject:
        """The key of whom it was asked for. Raises `Refused` once that is destroyed."""
        subject = (await self.ring.by_ids([address_id]))[address_id]
        if subject is None:
            raise Refused(ERASED)
        return subject


ERASED: Final = "What is known of this customer was erased."
