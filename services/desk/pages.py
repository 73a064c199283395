"""The page itself, its lists, one row, and what the search finds."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.answering.asking import MOST_ATTACHED_BYTES
from services.desk.attaching import MOST_FILES
from services.desk.floor import Floor
from services.desk.rows import LISTS, MOST_ROWS, List, Row
from services.desk.search import find
from services.desk.sessions import Session
from services.desk.templating import render

THEME: Final = "tamas_desk_theme"
THEMES: Final = ("light", "dark")


async def desk(request: Request, floor: Floor, session: Session) -> Response:
    """Three columns; the conversation of the path is opened by the page itself."""
    # Before the rows, so that nothing is lost between them and the stream.
    position = await floor.views.reached()
    given = await _lists(floor, session, "waiting")
    theme = request.cookies.get(THEME)
    page = render(
        "desk.html.jinja",
        session.language,
        session=session,
        position=position,
        theme=theme if theme in THEMES else None,
        conversation_id=request.path_params.get("conversation_id"),
        most_files=MOST_FILES,
        most_file_bytes=MOST_ATTACHED_BYTES,
        **given,
    )
    return HTMLResponse(page)


async def front(_request: Request) -> Response:
    """The root leads to the desk."""
    return RedirectResponse("/desk", 307)


async def lists(request: Request, floor: Floor, session: Session) -> Response:
    """A list, or its next page (`after`)."""
    which = request.path_params["which"]
    if which not in LISTS:
        return Response(status_code=404)
    if "after" in request.query_params:
        at, _, number = request.query_params["after"].rpartition("_")
        found = await floor.rows.list(session.tenant, which, session.user_id, (datetime.fromisoformat(at), int(number)))
        some = _others(found, session) if which == "waiting" else found
        shown = render("rows.html.jinja", session.language, some=some, more=_following(which, found))
        return HTMLResponse(shown)
    return HTMLResponse(render("lists.html.jinja", session.language, **await _lists(floor, session, which)))


async def row(request: Request, floor: Floor, session: Session) -> Response:
    """One conversation of a list, once the read models have `min_position`; nothing when there is none."""
    if not await floor.views.reach(int(request.query_params.get("min_position", "0"))):
        raise TimeoutError
    found = await floor.rows.one(session.tenant, request.path_params["conversation_id"])
    return HTMLResponse("" if found is None else render("row.html.jinja", session.language, row=found))


async def search(request: Request, floor: Floor, session: Session) -> Response:
    """Conversations for what was typed."""
    asked = request.query_params.get("q", "").strip()
    if not asked:
        return HTMLResponse("")
    found = await find(floor, session.tenant, asked)
    return HTMLResponse(render("found.html.jinja", session.language, rows=found))


async def _lists(floor: Floor, session: Session, which: List) -> dict[str, Any]:
    names: tuple[List, ...] = ("mine", "waiting") if which == "waiting" else (which,)
    found = await asyncio.gather(*(floor.rows.list(session.tenant, name, session.user_id) for name in names))
    rows = dict(zip(names, found, strict=True))
    following = {name: _following(name, some) for name, some in rows.items()}
    if "mine" in rows:
        rows["waiting"] = _others(rows["waiting"], session)
    return {"which": which, "rows": rows, "following": following}


def _others(found: Sequence[Row], session: Session) -> Sequence[Row]:
    """What a person has is in their own list."""
    return [row for row in found if row.one.taken_by != session.user_id]


def _following(which: str, found: Sequence[Row]) -> str | None:
    if len(found) < MOST_ROWS or which == "mine":
        return None
    last = found[-1].one
    at = last.since_at.isoformat().replace("+", "%2B")
    return f"/desk/lists/{which}?after={at}_{last.opened_position}"


def conversation_of(request: Request) -> UUID:
    """The conversation that the path names."""
    found: UUID = request.path_params["conversation_id"]
    return found
