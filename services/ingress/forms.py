"""`/forms/{key}`: a form's page, its schema, and its posts."""

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Final
from urllib.parse import parse_qs, urlencode

from channels.contract import Answer, InboundRequest
from channels.errors import BadSignature, InvalidFields, Malformed, Trapped
from channels.forms import page
from channels.forms.web import WebForm
from schemas.interaction import InteractionReceived
from schemas.reference import reference
from services.ingress.hooks import result_headers
from services.ingress.http import (
    RawHeaders,
    Receive,
    Refusal,
    Reply,
    Scope,
    Send,
    answer,
    as_json,
    body_of,
    problem,
    refused,
    texts_of,
)
from services.ingress.intake import Intake
from services.ingress.requests import RequestLog
from services.ingress.submission import Away, Outcome, Submission
from services.record.facts import event_id_of
from services.record.raw import new_raw_id
from services.tenancy.directory import Directory, Inbox

_CHANNEL: Final = "forms/web"
_BODY_LIMIT: Final = 20 << 20
LONG_BODY: Final = 64 * 1024
_HTML: Final = "text/html; charset=utf-8"
_PAGE_HEADERS: Final = (
    ("content-security-policy", page.CONTENT_SECURITY_POLICY),
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)


class Forms:
    """Every form of the installation."""

    def __init__(self, directory: Directory, intake: Intake, log: RequestLog, public_url: str) -> None:
        """The same parts as the hooks have."""
        self._directory: Final = directory
        self._intake: Final = intake
        self._requests: Final = log
        self._public_url: Final = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Route by method and the last part of the path. Raises `Refusal`."""
        path: str = scope["path"]
        if path == "/forms/style.css":
            await answer(send, Answer(200, page.style(), "text/css; charset=utf-8"), new_raw_id())
            return
        parts = path.split("/")
        inbox, form = await self._form(parts[2])
        rest = parts[3:]
        if scope["method"] in ("GET", "HEAD"):
            await answer(send, self._shown(scope, inbox, form, rest), new_raw_id())
        elif scope["method"] == "POST" and not rest:
            request = self._request(scope["path"], scope["headers"], inbox, await body_of(scope, receive, _BODY_LIMIT))
            await answer(send, *await self._posted(request, path, inbox, form))
        else:
            raise Refusal(405, "method_not_allowed", "A form is read with GET and sent with POST.")

    async def reply(self, target: bytes, headers: RawHeaders, body: bytes) -> Reply:
        """A post to `/forms/{key}` with at most `LONG_BODY` bytes. Never raises `Refusal`."""
        path = target.decode("latin-1")
        try:
            inbox, form = await self._form(path.split("/")[2])
            return await self._posted(self._request(path, headers, inbox, body), path, inbox, form)
        except Refusal as refusal:
            self._requests.tally.turned_away[refusal.code] += 1
            return refused(refusal)

    async def _form(self, key: str) -> tuple[Inbox, WebForm]:
        inbox = await self._directory.lookup(_CHANNEL, key)
        if inbox is None and (self._directory.away or self._directory.is_broken(key)):
            raise Refusal(503, "away", "Forms cannot be looked up at the moment, please try again.")
        if inbox is None or inbox.disabled or not isinstance(inbox.handler, WebForm):
            raise Refusal(404, "not_found", "There is no open form behind this path.")
        return inbox, inbox.handler

    def _shown(self, scope: Scope, inbox: Inbox, form: WebForm, rest: list[str]) -> Answer:
        request = self._request(scope["path"], scope["headers"], inbox, method=scope["method"])
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        language = asked.get("language", [form.language(request)])[0]
        if language not in form.config.languages:
            language = form.config.languages[0]
        if rest == ["schema"]:
            return as_json(200, form.json_schema())
        if rest == ["thanks"]:
            shown = form.thanks_page(asked.get("reference", [""])[0][:9], language)
        elif not rest:
            token = form.token(inbox.origin, datetime.now(UTC), secrets.token_urlsafe(16))
            shown = form.page(language, token)
        else:
            raise Refusal(404, "not_found", "A form has a page, /schema and /thanks.")
        return Answer(200, shown.encode(), _HTML, _PAGE_HEADERS)

    async def _posted(self, request: InboundRequest, path: str, inbox: Inbox, form: WebForm) -> Reply:
        one = Submission(request, inbox.inbox_id)
        wants_json = (request.header("content-type") or "").startswith("application/json")
        try:
            await self._read(one, form)
            outcome = await self._intake.submit(one)
        except BadSignature as error:
            self._requests.refused(inbox, one, str(error), "token")
            said = form.acks.bad_signature.body.decode().strip()
            return Reply(problem(403, "token", said, one.raw_id), one.raw_id)
        except InvalidFields as error:
            self._requests.tally.refuse(inbox.inbox_id, "fields")
            return Reply(self._invalid(one, inbox, form, error, wants_json=wants_json), one.raw_id)
        except Away:
            self._requests.tally.refuse(inbox.inbox_id, "away")
            given = problem(503, "away", form.acks.away.body.decode().strip(), one.raw_id)
            return Reply(given, one.raw_id, ((b"retry-after", b"5"),))
        if outcome.result == "duplicate":
            self._requests.repeated(inbox, one)
        given = self._thanked(one, form, outcome, path, wants_json=wants_json)
        return Reply(given, one.raw_id, result_headers(outcome))

    async def _read(self, one: Submission, form: WebForm) -> None:
        request = one.request
        try:
            if len(request.body) > LONG_BODY:
                await asyncio.to_thread(form.verify, request)
                one.heard = await asyncio.to_thread(form.parse, request)
            else:
                form.verify(request)
                one.heard = form.parse(request)
        except Trapped as error:
            one.reason = str(error)
        except InvalidFields:
            raise
        except Malformed as error:
            raise InvalidFields((("", str(error)),)) from error

    def _invalid(
        self, one: Submission, inbox: Inbox, form: WebForm, error: InvalidFields, *, wants_json: bool
    ) -> Answer:
        if wants_json:
            errors = [{"field": field, "detail": detail} for field, detail in error.errors]
            return problem(422, "invalid_fields", "Some fields need another look.", one.raw_id, errors=errors)
        token = form.token(inbox.origin, datetime.now(UTC), secrets.token_urlsafe(16))
        shown = form.page(form.language(one.request), token, error.errors, form.values(one.request))
        return Answer(422, shown.encode(), _HTML, _PAGE_HEADERS)

    def _thanked(self, one: Submission, form: WebForm, outcome: Outcome, path: str, *, wants_json: bool) -> Answer:
        said = next((heard for heard in one.heard if isinstance(heard.fact, InteractionReceived)), None)
        event_id = outcome.event_ids[0] if said is None else event_id_of(one.request.origin, said)
        if wants_json:
            return as_json(202, {"reference": reference(event_id), "event_id": str(event_id)})
        query = urlencode({"reference": reference(event_id), "language": form.language(one.request)})
        return Answer(303, headers=(("location", f"{path}/thanks?{query}"),))

    def _request(
        self, path: str, headers: RawHeaders, inbox: Inbox, body: bytes = b"", method: str = "POST"
    ) -> InboundRequest:
        return InboundRequest(
            method=method,
            url=self._public_url + path,
            headers=texts_of(headers),
            body=body,
            received_at=datetime.now(UTC),
            origin=inbox.origin,
        )
