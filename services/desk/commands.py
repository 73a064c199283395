"""What an agent does with a conversation: take it, give it back, close it, open it again."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from services.conversations.commands import Asked, Close, Release, Reopen, Take
from services.desk.conversation import head_page
from services.desk.floor import Floor
from services.desk.pages import conversation_of
from services.desk.sessions import Session
from services.desk.wording import say

_NAMES: Final = ("take", "release", "close", "reopen")


async def command(request: Request, floor: Floor, session: Session) -> Response:
    """Carry it out; the head as it is then. A repeat of the same button's command changes nothing. Raises `Refused`."""
    name = request.path_params["name"]
    if name not in _NAMES:
        return Response(status_code=404)
    form, of = await request.form(), conversation_of(request)
    asked = _asked(name, session.user_id, over=form.get("over") == "1")
    position = await floor.answering.command(session.tenant, of, asked, command_id=UUID(str(form["command"])))
    if not await floor.views.reach(position):
        raise TimeoutError
    row = await floor.rows.one(session.tenant, of)
    if row is None:
        return PlainTextResponse(say(session.language, "not_found"), 404)
    return head_page(floor, session, row)


def _asked(name: str, agent_id: UUID, *, over: bool) -> Asked:
    now = datetime.now(UTC)
    match name:
        case "take":
            return Take(agent_id, over)
        case "release":
            return Release(agent_id)
        case "close":
            return Close(agent_id, now)
        case _:
            return Reopen(agent_id, now)
