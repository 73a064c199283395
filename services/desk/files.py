"""What was attached to an interaction, to be saved."""

from urllib.parse import quote
from uuid import UUID

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from projections.timeline.queries import interaction
from services.desk.attaching import MEDIA_TYPE
from services.desk.floor import Floor
from services.desk.sessions import Session
from services.desk.wording import say


async def attachment(request: Request, floor: Floor, session: Session) -> Response:
    """The file itself. Strangers sent it: it is to be saved, and never runs as a page of ours."""
    wanted: UUID = request.path_params["attachment_id"]
    async with floor.views.timeline(session.tenant) as tx:
        item = await interaction(tx, session.tenant, request.path_params["interaction_id"])
    held = [] if item is None else [one for one in item.attachments() if one["attachment_id"] == str(wanted)]
    if item is None or not held:
        return PlainTextResponse(say(session.language, "no_file"), 404)
    subject = (await floor.ring.by_ids([item.address_id]))[item.address_id]
    content = None if subject is None else await floor.blobs.get(session.tenant, subject, wanted)
    if content is None:
        return PlainTextResponse(say(session.language, "no_file"), 404)
    media_type, name = held[0]["media_type"], held[0]["name"]
    written = "" if name is None else f"; filename*=UTF-8''{quote(name, safe='', errors='replace')}"
    headers = {
        "Content-Type": media_type if MEDIA_TYPE.fullmatch(media_type) else "application/octet-stream",
        "Content-Disposition": f"attachment{written}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(content, headers=headers)
