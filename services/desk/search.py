"""What the search box finds: conversations by a reference, an address or a part of one, and by words."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from channels.phone import customer_address
from projections.search.folding import asked_words, excerpt
from projections.search.queries import found
from projections.timeline.queries import Item, interactions, referred
from schemas.reference import parse_reference
from services.desk.floor import Floor
from services.desk.rows import SNIPPET, Row

_MOST: Final = 20
_LOOKED_AT: Final = 60
"""Interactions; several may be of one conversation."""


async def find(floor: Floor, tenant: str, asked: str) -> Sequence[Row]:
    """Those with the newest hits first, each with the text that was found. Raises `NotServed`."""
    newest: dict[UUID, Item] = {}
    for item in [*await _referred(floor, tenant, asked), *await _said(floor, tenant, asked)]:
        if item.conversation_id is not None and len(newest) < _MOST:
            newest.setdefault(item.conversation_id, item)
    rows = {row.one.conversation_id: row for row in await floor.rows.some(tenant, newest)}
    return [_shown(rows[of], item, asked) for of, item in newest.items() if of in rows]


async def _referred(floor: Floor, tenant: str, asked: str) -> list[Item]:
    try:
        event_ids = parse_reference(asked)
    except ValueError:
        return []
    async with floor.views.timeline(tenant) as tx:
        return await referred(tx, tenant, event_ids)


async def _said(floor: Floor, tenant: str, asked: str) -> list[Item]:
    address = customer_address(asked, floor.region(tenant))
    async with floor.views.search(tenant) as tx:
        hits = await found(tx, tenant, asked, limit=_LOOKED_AT, address=address)
    async with floor.views.timeline(tenant) as tx:
        known = {
            item.interaction_id: item for item in await interactions(tx, tenant, [one.interaction_id for one in hits])
        }
    return [known[hit.interaction_id] for hit in hits if hit.interaction_id in known]


def _shown(row: Row, item: Item, asked: str) -> Row:
    if not item.text:
        return row
    return replace(row, snippet=excerpt(item.text, asked_words(asked), SNIPPET), last=None)
