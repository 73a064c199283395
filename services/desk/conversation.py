"""An open conversation: its head, what was said in chunks of 50, and its customer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from projections.timeline.queries import Item, conversation, timeline
from services.customers.on_file import OnFile, on_file
from services.desk.floor import Floor
from services.desk.pages import conversation_of
from services.desk.rows import Row
from services.desk.sessions import Session
from services.desk.templating import render
from services.desk.wording import say

CHUNK: Final = 50
MOMENTS: Final = 20
COMMANDS: Final = ("take", "release", "close", "reopen")
Before = tuple[datetime, int] | None


async def view(request: Request, floor: Floor, session: Session) -> Response:
    """Head and newest chunk."""
    position = await floor.views.reached()
    row = await _row(request, floor, session)
    if row is None:
        return _unknown(session)
    given = await _chunk(floor, session, row.one.conversation_id, None)
    page = render("view.html.jinja", session.language, position=position, **_head(floor, session, row), **given)
    return HTMLResponse(page)


async def head(request: Request, floor: Floor, session: Session) -> Response:
    """The head alone, as it is at `min_position`."""
    row = await _row(request, floor, session)
    return _unknown(session) if row is None else head_page(floor, session, row)


def head_page(floor: Floor, session: Session, row: Row) -> Response:
    """What commands answer with."""
    return HTMLResponse(render("head.html.jinja", session.language, **_head(floor, session, row)))


async def entries(request: Request, floor: Floor, session: Session) -> Response:
    """A chunk: the newest, or those before (`before`)."""
    await _reach(request, floor)
    before = _before(request)
    given = await _chunk(floor, session, conversation_of(request), before)
    return HTMLResponse(render("chunk.html.jinja", session.language, **given))


async def customer(request: Request, floor: Floor, session: Session) -> Response:
    """What is known of the customer's address; or earlier moments of its timeline (`before`)."""
    row = await _row(request, floor, session)
    if row is None:
        return _unknown(session)
    before, of = _before(request), row.one
    async with floor.views.timeline(session.tenant) as tx:
        items = await timeline(tx, session.tenant, of.address_id, limit=MOMENTS + 1, before=before)
    shown = {
        "row": row,
        "items": items[:MOMENTS],
        "current": of.conversation_id,
        "following": _link(f"/desk/conversations/{of.conversation_id}/customer", items, MOMENTS),
    }
    if before is not None:
        return HTMLResponse(render("moments.html.jinja", session.language, **shown))
    filed = OnFile()
    if row.address is not None:
        filed = await on_file(floor.record, floor.reader, session.tenant, of.address_id)
    return HTMLResponse(render("customer.html.jinja", session.language, filed=filed, **shown))


async def _row(request: Request, floor: Floor, session: Session) -> Row | None:
    await _reach(request, floor)
    return await floor.rows.one(session.tenant, conversation_of(request))


async def _reach(request: Request, floor: Floor) -> None:
    wanted = request.query_params.get("min_position")
    if wanted and not await floor.views.reach(int(wanted)):
        raise TimeoutError


def _head(floor: Floor, session: Session, row: Row) -> dict[str, Any]:
    return {
        "row": row,
        "session": session,
        "inbox_name": floor.inbox_name(row.one.inbox_id),
        # Pressed twice, a button is one command.
        "command_ids": {name: uuid4() for name in COMMANDS},
    }


async def _chunk(floor: Floor, session: Session, conversation_id: UUID, before: Before) -> dict[str, Any]:
    async with floor.views.timeline(session.tenant) as tx:
        items = await conversation(tx, session.tenant, conversation_id, limit=CHUNK + 1, before=before)
    shown = items[:CHUNK]
    path = f"/desk/conversations/{conversation_id}/entries"
    return {
        "entries": shown[::-1],
        "older": _link(path, items, CHUNK),
        "here": path if before is None else f"{path}?{_query(before)}",
        "names": await floor.names.of(session.tenant, [item.agent_id for item in shown]),
    }


def _link(path: str, items: Sequence[Item], most: int) -> str | None:
    if len(items) <= most:
        return None
    last = items[most - 1]
    return f"{path}?{_query((last.effective_at, last.position))}"


def _query(before: tuple[datetime, int]) -> str:
    return urlencode({"before": f"{before[0].isoformat()}_{before[1]}"})


def _before(request: Request) -> Before:
    given = request.query_params.get("before")
    if not given:
        return None
    at, _, number = given.rpartition("_")
    return datetime.fromisoformat(at), int(number)


def _unknown(session: Session) -> Response:
    return PlainTextResponse(say(session.language, "not_found"), 404)
