"""Who is asked for: every page but the sign-in is for somebody, every change must come from a page of ours."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from services.desk.floor import Floor, floor_of
from services.desk.sessions import Session
from services.desk.wording import say

COOKIE: Final = "tamas_desk"
CSRF_HEADER: Final = "x-csrf-token"
Page = Callable[[Request, Floor, Session], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]


def signed_in(page: Page) -> Endpoint:
    """An endpoint for whoever is signed in; others are led to the sign-in, and their scripts told 401.

    Whatever changes something needs the session's token, in a header or as the field `csrf`.
    """

    async def answer(request: Request) -> Response:
        floor = floor_of(request)
        secret = request.cookies.get(COOKIE)
        session = None if not secret else await floor.sessions.find(secret)
        if session is None:
            return _stranger(request)
        request.state.session = session
        if request.method == "POST" and not session.is_asked_by_us(await _token(request)):
            return PlainTextResponse(say(session.language, "stale_page"), 403)
        return await page(request, floor, session)

    return answer


async def _token(request: Request) -> str:
    header = request.headers.get(CSRF_HEADER)
    if header is not None:
        return header
    given = (await request.form()).get("csrf")
    return given if isinstance(given, str) else ""


def _stranger(request: Request) -> Response:
    is_page = request.method == "GET" and request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    if is_page and "hx-request" not in request.headers:
        return RedirectResponse("/desk/sign-in", 303)
    return PlainTextResponse("", 401, headers={"HX-Redirect": "/desk/sign-in"})
