"""What was set aside because it could not be read, and one more try."""

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from psycopg.rows import dict_row
from pydantic import BaseModel

from services.api.access import may
from services.api.answers import Cursor, Limit, as_json, link, next_page
from services.api.cursor import decoded, encoded
from services.api.idempotency import IdempotencyKey
from services.api.problems import Problem, guarded, not_found
from services.api.runtime import runtime_of
from services.tenancy.tokens import Token

ROUTER: Final = APIRouter(prefix="/api/v1/parked", tags=["parked"])
# The first 63 bits of an id break ties: as exact as a cursor has to be, and it fits.
_LIST: Final = """
    SELECT parked_id, inbox_id, raw_id, stage, reason, parked_at, state FROM service.parked
    WHERE state = 'parked' AND tenant = %(tenant)s
        AND (%(at)s::timestamptz IS NULL OR (parked_at, parked_id) < (%(at)s, %(below)s::uuid))
    ORDER BY parked_at DESC, parked_id DESC LIMIT %(limit)s"""
_STATE: Final = "SELECT state FROM service.parked WHERE parked_id = %s"
# One statement, so that what is handed to the parsers is what is marked. A request dropped with its day stays parked.
_RETRY: Final = """
    WITH chosen AS (
        UPDATE service.parked AS parked SET state = 'retried', resolution = 'handed to the parsers again'
        WHERE state = 'parked' AND parked_id = %s
            AND EXISTS (SELECT FROM record.raw WHERE raw.raw_id = parked.raw_id AND raw.day = parked.day)
        RETURNING raw_id, day, tenant, inbox_id
    )
    INSERT INTO service.pending (raw_id, day, tenant, inbox_id) SELECT * FROM chosen
    ON CONFLICT (raw_id) DO UPDATE SET tries = 0, claimed_until = '-infinity'"""
_TIE_BITS: Final = 63


class ParkedItem(BaseModel):
    """A request that was kept but could not be read."""

    parked_id: UUID
    inbox_id: UUID | None
    raw_id: UUID | None
    stage: str
    reason: str
    parked_at: datetime
    state: str


class ParkedPage(BaseModel):
    """A page of what waits for somebody, newest first."""

    items: list[ParkedItem]
    next: str | None


class Retried(BaseModel):
    """It is with the parsers; what becomes of it is in the timeline, or parked anew."""

    parked_id: UUID
    state: str


@ROUTER.get(
    "",
    response_model=ParkedPage,
    responses=guarded(),
)
async def list_parked(
    request: Request,
    token: Annotated[Token, Depends(may("read_parked"))],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What waits for somebody."""
    at, tie = (None, 0) if cursor is None else decoded(cursor)
    # Nothing between the tie and what it stands for is shown twice; two ids with the same 63 bits do not happen.
    below = UUID(int=(tie & (1 << _TIE_BITS) - 1) << 128 - _TIE_BITS)
    arguments = {"tenant": token.tenant, "at": at, "below": below, "limit": limit + 1}
    async with (
        runtime_of(request).of(token.tenant).connection() as connection,
        connection.cursor(row_factory=dict_row) as found,
    ):
        rows = await (await found.execute(_LIST, arguments)).fetchall()
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        last = encoded(rows[-1]["parked_at"], rows[-1]["parked_id"].int >> 128 - _TIE_BITS)
        following = next_page("/api/v1/parked", {"limit": limit}, last)
    return as_json({"items": rows, "next": following}, headers=link(following))


@ROUTER.post(
    "/{parked_id}/retry",
    status_code=202,
    response_model=Retried,
    responses=guarded(404, 409),
    description="By nature the same when repeated, with or without a key.",
)
async def retry(
    request: Request,
    parked_id: UUID,
    token: Annotated[Token, Depends(may("retry_parked"))],
    _key: IdempotencyKey = None,
) -> Response:
    """Hand it to the parsers again."""
    async with runtime_of(request).of(token.tenant).connection() as connection:
        handed = (await connection.execute(_RETRY, (parked_id,))).rowcount
        row = await (await connection.execute(_STATE, (parked_id,))).fetchone()
    if row is None:
        raise not_found("parked request")
    if row[0] == "discarded":
        raise Problem(409, "It was discarded.")
    if row[0] == "parked" and not handed:
        raise Problem(409, "Its request is not there any more: it was dropped with its day, or there never was one.")
    return as_json({"parked_id": parked_id, "state": row[0]}, status=202)
