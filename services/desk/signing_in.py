"""Signing in and out, and how a person likes the desk to look."""

import hmac
import secrets
from typing import Final, cast

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response

from services.desk.access import COOKIE
from services.desk.edge import language_of
from services.desk.floor import Floor, floor_of
from services.desk.pages import THEME, THEMES
from services.desk.sessions import LIFETIME, Session
from services.desk.templating import render
from services.desk.users import LANGUAGES, Language
from services.desk.wording import say

_BEFORE: Final = "tamas_desk_door"
_LANGUAGE: Final = "tamas_desk_language"
_YEAR_SECONDS: Final = 365 * 86400


async def page(request: Request) -> Response:
    """The sign-in, in the language of the browser or of `?language=`."""
    return _page(request, _language(request))


async def sign_in(request: Request) -> Response:
    """Let a person in, or tell that login and password do not fit; never which of them."""
    floor, form, language = floor_of(request), await request.form(), _language(request)
    login, password, token = (str(form.get(name, "")) for name in ("login", "password", "csrf"))
    # Nobody is signed in yet: what the form says must be what this browser's cookie says.
    if not token or not hmac.compare_digest(token.encode(), request.cookies.get(_BEFORE, "").encode()):
        return _page(request, language, login, say(language, "stale_page"), status=403)
    client = "" if request.client is None else request.client.host
    wait = floor.strangers.take(client) or floor.logins.take((login.strip().casefold(), client))
    if wait:
        told = say(language, "slow_down", seconds=wait)
        return _page(request, language, login, told, status=429, headers={"Retry-After": str(wait)})
    secret = await floor.sessions.sign_in(login, password)
    if secret is None:
        return _page(request, language, login, say(language, "wrong"), status=401)
    answer = RedirectResponse("/desk", 303)
    _cookie(request, answer, COOKIE, secret, int(LIFETIME.total_seconds()))
    answer.delete_cookie(_BEFORE, path="/desk")
    return answer


async def sign_out(_request: Request, floor: Floor, session: Session) -> Response:
    """The session is over for every tab; the page wipes what it kept."""
    await floor.sessions.end(session)
    answer = RedirectResponse("/desk/sign-in", 303)
    answer.delete_cookie(COOKIE, path="/desk")
    return answer


async def look(request: Request, floor: Floor, session: Session) -> Response:
    """Another language, or light and dark."""
    form = await request.form()
    answer = RedirectResponse("/desk", 303)
    if form.get("language") in LANGUAGES:
        await floor.sessions.speak(session, cast("Language", form["language"]))
    if form.get("theme") in THEMES:
        answer = PlainTextResponse("", 204)
        answer.set_cookie(THEME, str(form["theme"]), max_age=_YEAR_SECONDS, path="/desk", samesite="lax")
    return answer


def _page(
    request: Request,
    language: Language,
    login: str = "",
    error: str = "",
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> Response:
    token = request.cookies.get(_BEFORE) or secrets.token_urlsafe()
    theme = request.cookies.get(THEME)
    shown = render(
        "sign_in.html.jinja", language, csrf=token, login=login, error=error, theme=theme if theme in THEMES else None
    )
    answer = HTMLResponse(shown, status, headers=headers)
    _cookie(request, answer, _BEFORE, token, 3600)
    if request.query_params.get("language") in LANGUAGES:
        answer.set_cookie(_LANGUAGE, language, max_age=_YEAR_SECONDS, path="/desk", samesite="lax")
    return answer


def _language(request: Request) -> Language:
    asked = request.query_params.get("language") or request.cookies.get(_LANGUAGE)
    return cast("Language", asked if asked in LANGUAGES else language_of(request))


def _cookie(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https" or floor_of(request).settings.public_url.startswith("https:")
    answer.set_cookie(name, value, max_age=seconds, path="/desk", httponly=True, samesite="lax", secure=secure)
