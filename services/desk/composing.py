"""Answers: which way one will take and why, before it is sent; sent; taken back."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast
from uuid import UUID, uuid4

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response

from schemas.conversation import ConversationState
from services.answering.answering import Draft
from services.desk.attaching import MOST_FILES, attached, counted, is_too_large
from services.desk.floor import Floor
from services.desk.pages import conversation_of
from services.desk.sessions import Session
from services.desk.templating import kind_of, render
from services.desk.users import Language
from services.desk.wording import say
from services.desk.words_fa import WHY
from services.resolving.outcome import Rejected, Resolution, Resolved

UNDO_SECONDS: Final = 10
_STATES: Final = ("waiting", "answered", "closed")
_CHOOSABLE: Final = frozenset({"less_preferred", "overridden"})


async def preview(request: Request, floor: Floor, session: Session) -> Response:
    """Where the answer would go, and why not elsewhere. Raises `Refused`."""
    form = await request.form()
    draft = replace(_draft(form), attachments=counted(form))
    if draft.via and not draft.reason:
        # An agent who has not said why yet sees where it would go all the same.
        draft = replace(draft, reason="…")
    found = await floor.answering.preview(session.tenant, conversation_of(request), draft, datetime.now(UTC))
    return HTMLResponse(render("way.html.jinja", session.language, way=_way(session.language, found)))


async def send(request: Request, floor: Floor, session: Session) -> Response:
    """Ask for an answer to be sent after the time in which it may be taken back. Raises `Refused`."""
    if is_too_large(request):
        return PlainTextResponse(say(session.language, "files_too_large"), 413)
    form = await request.form(max_files=MOST_FILES)
    draft = replace(_draft(form, UNDO_SECONDS), attachments=await attached(form))
    if not draft.text.strip() and not draft.attachments:
        return PlainTextResponse("", 422)
    seen = form.get("seen")
    asked = await floor.answering.ask(
        session.tenant,
        conversation_of(request),
        draft,
        command_id=UUID(str(form["command"])),
        now=datetime.now(UTC),
        agent_id=session.user_id,
        seen=cast("ConversationState", seen) if seen in _STATES else None,
    )
    return JSONResponse({"message_id": str(asked.message_id), "position": asked.position, "undo_seconds": UNDO_SECONDS})


async def withdraw(request: Request, floor: Floor, session: Session) -> Response:
    """Take an answer back while nothing was sent. Raises `Refused`."""
    form = await request.form()
    position = await floor.answering.withdraw(
        session.tenant,
        request.path_params["message_id"],
        command_id=UUID(str(form["command"])),
        agent_id=session.user_id,
    )
    return JSONResponse({"position": position})


async def judge(request: Request, floor: Floor, session: Session) -> Response:
    """Settle a doubt about an answer: it arrived, or it is to be sent again. Raises `Refused`."""
    judged = (await request.form()).get("judged")
    if judged not in {"arrived", "not_sent"}:
        return Response(status_code=422)
    found: Literal["arrived", "not_sent"] = "arrived" if judged == "arrived" else "not_sent"
    of = request.path_params["message_id"]
    # Judging twice the same is nothing new, so each press may be a command of its own.
    await floor.answering.judge(session.tenant, of, found, command_id=uuid4(), agent_id=session.user_id)
    return Response(status_code=204)


async def presence(request: Request, floor: Floor, session: Session) -> Response:
    """Tell colleagues that somebody reads or writes here; it is kept nowhere."""
    form = await request.form()
    told = {
        "kind": "presence",
        "id": str(form.get("conversation", "")),
        "who": str(session.user_id),
        "name": session.name,
        "doing": "writing" if form.get("doing") == "writing" else "reading",
    }
    floor.hub.tell(session.tenant, lambda _: told)
    return Response(status_code=204)


def _draft(form: FormData, undo_seconds: float = 0) -> Draft:
    def given(name: str) -> str:
        value: Any = form.get(name)
        return value if isinstance(value, str) else ""

    return Draft(
        text=given("text").replace("\r\n", "\n"),
        via=given("via") or None,
        reason=given("reason").strip() or None,
        undo_seconds=undo_seconds,
    )


def _way(language: Language, found: Resolution) -> dict[str, Any]:
    rejected = [_rejected(language, one) for one in found.rejected]
    if not isinstance(found, Resolved):
        return {"channel": None, "why": _no_way(language, found.why), "rejected": rejected}
    return {
        "channel": found.channel,
        "address": found.address,
        "why": _why(language, found.code, found.channel, found.why),
        "segments": found.rendering.segments,
        "units": found.rendering.units,
        "encoding": found.rendering.encoding,
        "characters": found.rendering.characters,
        "hold_until": found.hold_until,
        "rejected": rejected,
    }


def _rejected(language: Language, one: Rejected) -> dict[str, Any]:
    return {
        "channel": one.channel,
        "address": one.address,
        "why": _why(language, one.code, one.channel, one.why),
        "is_open": one.code in _CHOOSABLE,
    }


def _why(language: Language, code: str, channel: str, sentence: str) -> str:
    if language != "fa" or code not in WHY:
        return sentence
    return WHY[code].format(channel=say(language, f"kind_{kind_of(channel)}"))


def _no_way(language: Language, sentence: str) -> str:
    return say(language, "no_way") if language == "fa" else sentence
