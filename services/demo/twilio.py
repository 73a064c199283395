"""A stand-in for Twilio, as far as a hub meets it: its REST API for messages and calls, and its signed reports.

Tests hold Twilio's own client to it. Certain numbers are refused as with Twilio's test credentials:
https://www.twilio.com/docs/iam/test-credentials
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Final, Literal
from urllib.parse import parse_qsl

import httpx
from aiohttp import BasicAuth, web

from channels.signing import sign_twilio

ACCOUNT: Final = "AC0123456789abcdef0123456789abcdef"

Mode = Literal["well", "throttle", "silent", "hangs_up", "nonsense", "html", "broken", "away"]

_TO: Final = {
    "+15005550001": (21211, "The 'To' number +15005550001 is not a valid phone number."),
    "+15005550002": (21612, "The 'To' number is not currently reachable."),
    "+15005550003": (21408, "Permission to send an SMS has not been enabled for the region."),
    "+15005550004": (21610, "Attempt to send to unsubscribed recipient"),
    "+15005550009": (21614, "'To' number is not a valid mobile number"),
}
_FROM: Final = {"+15005550007": (21606, "The From phone number is not a valid, SMS-capable number.")}
_TOO_LONG: Final = 1600
_ERRORS: Final[Mapping[str, tuple[int, int, str]]] = {
    "throttle": (429, 20429, "Too Many Requests"),
    "broken": (500, 20500, "An internal server error has occurred"),
    "away": (503, 20503, "The server is temporarily unable to service this request"),
}


@dataclass
class Made:
    """A message or a call that it took; `fields` as they were posted. `is_answered`: its maker was told."""

    sid: str
    fields: list[tuple[str, str]]
    is_answered: bool = True

    def __getitem__(self, name: str) -> str:
        return dict(self.fields).get(name, "")


@dataclass
class Twilio:
    """Listens at `base`. `mode` says how it behaves from now on; `reports` are posted by itself after each answer.

    `token` signs them; `logins` are users and passwords of the API. By receiver: `modes` and `faults` (a code with its
    sentence), and `unreported`, of whom nothing is ever reported.
    """

    token: str
    logins: frozenset[tuple[str, str]]
    mode: Mode = "well"
    reports: tuple[str, ...] = ()
    modes: dict[str, Mode] = field(default_factory=dict[str, Mode])
    faults: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    unreported: set[str] = field(default_factory=set[str])
    base: str = field(default="", init=False)
    made: list[Made] = field(default_factory=list[Made], init=False)
    requests: int = field(default=0, init=False)
    answers: list[int] = field(default_factory=list[int], init=False)
    refused: list[str] = field(default_factory=list[str], init=False)
    reported: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]], init=False)
    _sequences: Counter[str] = field(default_factory=Counter[str], init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]], init=False)
    _client: httpx.AsyncClient = field(default_factory=httpx.AsyncClient, init=False)

    def taken(self, to: str) -> int:
        """How often something was taken for this number: more than once is a double send."""
        return sum(one["To"] == to for one in self.made)

    async def report(self, sid: str, *states: str, error_code: int | None = None, times: int = 1) -> list[int]:
        """Post what became of it, in this order, each `times` times; the statuses of the answers."""
        found = next(one for one in self.made if one.sid == sid)
        url, statuses = found["StatusCallback"], list[int]()
        for state in [state for state in states for _ in range(times)]:
            params = self._reported(found, state, error_code)
            signature = sign_twilio(self.token, url, params.items())
            answer = await self._client.post(url, data=params, headers={"X-Twilio-Signature": signature})
            statuses.append(answer.status_code)
            if answer.is_success:
                self.reported.append((sid, state))
        self.answers += statuses
        return statuses

    async def settled(self) -> None:
        """Until every report that it posts by itself was answered."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST of a message or a call."""
        self.requests += 1
        try:
            fields = parse_qsl(await request.text(), keep_blank_values=True)
        except ConnectionResetError:
            # Who sends was killed in the middle of it: nothing was asked.
            return web.Response(status=400)
        mode = self.mode_for(dict(fields))
        refused = self._turned_away(request, mode)
        if refused is not None:
            return refused
        kind, to = request.match_info["resource"], dict(fields).get("To", "")
        error = self.faults.get(to) or _fault(dict(fields), kind)
        if error is not None:
            self.refused.append(to)
            return _error(400, *error)
        found = Made(f"{'SM' if kind == 'Messages' else 'CA'}{len(self.made) + 1:032x}", fields)
        self.made.append(found)
        found.is_answered = mode not in ("silent", "hangs_up")
        await self.taking(found)
        if mode == "silent":
            await asyncio.Event().wait()
        if mode == "hangs_up" and request.transport is not None:
            request.transport.close()
        return _answer(found, mode)

    def mode_for(self, fields: Mapping[str, str]) -> Mode:
        """How it behaves to this request."""
        return self.modes.get(fields.get("To", ""), self.mode)

    async def taking(self, found: Made) -> None:
        """What it does before it answers that it took this: here, see to it that reports follow."""
        if self.reports and found["To"] not in self.unreported:
            self.beside(self._tell(found))

    def beside(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this while it answers; `settled` waits for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def account(self, request: web.Request) -> web.StreamResponse:
        """GET of the account."""
        document = {"sid": ACCOUNT, "friendly_name": "Shop", "status": "active", "type": "Full"}
        return self._turned_away(request, self.mode) or web.json_response(document)

    async def close(self) -> None:
        """Report no more."""
        for task in self._tasks:
            task.cancel()
        await self._client.aclose()

    def _turned_away(self, request: web.Request, mode: Mode) -> web.Response | None:
        try:
            login = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            login = BasicAuth("")
        if request.match_info["account"] != ACCOUNT:
            return _error(404, 20404, "The requested resource was not found")
        if (login.login, login.password) not in self.logins:
            return _error(401, 20003, "Authenticate")
        if mode in _ERRORS:
            return _error(*_ERRORS[mode], headers={"Retry-After": "7"} if mode == "throttle" else {})
        return None

    def _reported(self, found: Made, state: str, error_code: int | None) -> dict[str, str]:
        params = {"AccountSid": ACCOUNT, "To": found["To"], "From": found["From"], "ApiVersion": "2010-04-01"}
        if found.sid.startswith("SM"):
            params |= {"MessageSid": found.sid, "SmsSid": found.sid, "MessageStatus": state, "SmsStatus": state}
            return params | ({} if error_code is None else {"ErrorCode": str(error_code)})
        self._sequences[found.sid] += 1
        params |= {
            "CallSid": found.sid,
            "CallStatus": state,
            "Direction": "outbound-api",
            "Timestamp": format_datetime(datetime.now(UTC)),
            "SequenceNumber": str(self._sequences[found.sid] - 1),
            "CallbackSource": "call-progress-events",
        }
        return params | ({"CallDuration": "12"} if state == "completed" else {})

    async def _tell(self, found: Made) -> None:
        if found["StatusCallback"]:
            await self.report(found.sid, *self.reports)


def _answer(found: Made, mode: Mode) -> web.Response:
    if mode == "nonsense":
        return web.Response(status=201, text='{"sid": 17, "status": ["queued"', content_type="application/json")
    if mode == "html":
        return web.Response(status=502, text="<html>Bad gateway</html>", content_type="text/html")
    is_message = found.sid.startswith("SM")
    now = format_datetime(datetime.now(UTC))
    told = {"body": found["Body"], "messaging_service_sid": found["MessagingServiceSid"] or None, "num_media": "0"}
    document = {
        "sid": found.sid,
        "account_sid": ACCOUNT,
        "to": found["To"],
        "from": found["From"] or None,
        "status": "queued",
        "direction": "outbound-api",
        "date_created": now,
        "date_updated": now,
        "api_version": "2010-04-01",
        **({"error_code": None, "error_message": None, **told} if is_message else {}),
    }
    return web.json_response(document, status=201)


def _fault(fields: Mapping[str, str], kind: str) -> tuple[int, str] | None:
    magic = _TO.get(fields.get("To", "")) or _FROM.get(fields.get("From", ""))
    if magic is not None or "To" not in fields:
        return magic or (21604, "A 'To' phone number is required.")
    if "From" not in fields and "MessagingServiceSid" not in fields:
        return (21603, "A 'From' phone number is required.")
    if kind == "Calls":
        return None if fields.get("Twiml") or fields.get("Url") else (21205, "Url parameter is required.")
    body = fields.get("Body", "")
    if not body and "MediaUrl" not in fields:
        return (21602, "Message body is required.")
    return (21617, "The concatenated message body exceeds the 1600 character limit") if len(body) > _TOO_LONG else None


def _error(status: int, code: int, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    more = f"https://www.twilio.com/docs/errors/{code}"
    text = json.dumps({"code": code, "message": message, "more_info": more, "status": status})
    return web.Response(status=status, text=text, content_type="application/json", headers=headers or {})


@asynccontextmanager
async def running(twilio: Twilio) -> AsyncGenerator[Twilio]:
    """Started at a free port of this machine."""
    app = web.Application()
    app.router.add_post("/2010-04-01/Accounts/{account}/{resource:Messages|Calls}.json", twilio.create)
    app.router.add_get("/2010-04-01/Accounts/{account}.json", twilio.account)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    twilio.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield twilio
    finally:
        await twilio.close()
        await runner.cleanup()
