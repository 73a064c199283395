"""The timeline of an address."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from channels.phone import customer_address
from projections.timeline.queries import Item, timeline
from schemas.interaction import Direction, Kind
from services.api.access import may
from services.api.answers import Cursor, Limit, Position, Time, as_json, link, next_page
from services.api.cursor import decoded, encoded
from services.api.problems import guarded
from services.api.runtime import Runtime, runtime_of
from services.api.settled import region_of
from services.api.shapes import TimelinePage, interaction
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1", tags=["timeline"])


@ROUTER.get(
    "/timeline",
    response_model=TimelinePage,
    responses=guarded(),
)
async def read_timeline(
    *,
    request: Request,
    token: Annotated[Token, Depends(may("read_timeline"))],
    address: Annotated[
        str,
        Query(
            min_length=1,
            max_length=320,
            description="`tel:+98…`, `mailto:…`, or as people write it. An unknown one has no items.",
            examples=["tel:+989121234567"],
        ),
    ],
    limit: Limit = 50,
    cursor: Cursor = None,
    kind: Kind | None = None,
    channel: Annotated[str | None, Query(pattern=r"^[a-z]{1,20}/[a-z0-9_]{1,40}$", examples=["sms/twilio"])] = None,
    direction: Direction | None = None,
    since: Annotated[Time | None, Query(description="Included.")] = None,
    until: Annotated[Time | None, Query(description="Not included.")] = None,
    min_position: Annotated[
        Position, Query(description="Wait up to two seconds until the timeline has what was recorded there.")
    ] = 0,
) -> Response:
    """Every interaction of an address, newest first."""
    runtime = runtime_of(request)
    before = None if cursor is None else decoded(cursor)
    if min_position:
        await runtime.progress.reach(min_position)
    filters: dict[str, Any] = {
        "kind": kind,
        "channel": channel,
        "direction": direction,
        "since": since,
        "until": until,
    }
    # Before the rows, so that it never promises more than is in them.
    reached, lag_seconds = await runtime.progress.now()
    items = await _read(runtime, token.tenant, address, limit=limit + 1, before=before, **filters)
    following = None
    if len(items) > limit:
        items = items[:limit]
        asked = {"address": address, "limit": limit, **{name: _text(value) for name, value in filters.items()}}
        following = next_page("/api/v1/timeline", asked, encoded(items[-1].effective_at, items[-1].position))
    page = {
        "items": [interaction(item) for item in items],
        "next": following,
        "position": reached,
        "lag_seconds": round(lag_seconds, 3),
    }
    return as_json(page, headers=link(following))


async def _read(runtime: Runtime, tenant: str, address: str, **asked: Any) -> list[Item]:
    address_id = await runtime.address_id(tenant, await _known_as(runtime, tenant, address))
    async with runtime.timeline(tenant) as tx:
        return [] if address_id is None else await timeline(tx, tenant, address_id, **asked)


async def _known_as(runtime: Runtime, tenant: str, written: str) -> str:
    # A + that was not escaped in a query arrives as a space.
    bare = written.replace("tel: ", "tel:+", 1) if written.startswith("tel: ") else written
    found = customer_address(bare, "ZZ")
    if found is None:
        found = customer_address(bare, await region_of(runtime, tenant))
    return bare if found is None else found


def _text(value: object) -> object:
    isoformat = getattr(value, "isoformat", None)
    return value if isoformat is None else isoformat()
