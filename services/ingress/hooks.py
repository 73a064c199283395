"""`/hooks/{kind}/{provider}/{key}`: where providers post. Answered by each provider's own contract."""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import unquote

import structlog

from channels.contract import Answer, InboundRequest, answering
from channels.errors import BadSignature, Malformed
from services.ingress.http import RawHeaders, Receive, Refusal, Reply, Scope, Send, answer, body_of, refused, texts_of
from services.ingress.intake import Intake
from services.ingress.requests import RequestLog
from services.ingress.submission import Away, Outcome, Submission
from services.tenancy.directory import Directory, Inbox

BODY_LIMIT: Final = 4 << 20
_PARSED_AT_ONCE_BYTES: Final = 64 * 1024
_LOG: Final = structlog.get_logger("hooks")


class Hooks:
    """The webhooks of every provider that has an adapter."""

    def __init__(self, directory: Directory, intake: Intake, log: RequestLog, public_url: str) -> None:
        """Signatures are checked against `public_url`, never against proxy headers."""
        self._directory: Final = directory
        self._intake: Final = intake
        self._requests: Final = log
        self._public_url: Final = public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI way in. Raises `Refusal` for what no channel will see."""
        target = scope.get("raw_path") or scope["path"].encode()
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        # Whoever sends to a closed door is told before the body comes.
        await self._inbox(target.decode("latin-1"))
        body = await body_of(scope, receive, BODY_LIMIT)
        await answer(send, *await self._reply(scope["method"], target, scope["headers"], body))

    async def reply(self, method: str, target: bytes, headers: RawHeaders, body: bytes) -> Reply:
        """Verify, parse, commit; `target` is the path and query as they were called. Never raises `Refusal`."""
        try:
            return await self._reply(method, target, headers, body)
        except Refusal as refusal:
            self._requests.tally.turned_away[refusal.code] += 1
            return refused(refusal)

    async def _reply(self, method: str, target: bytes, headers: RawHeaders, body: bytes) -> Reply:
        called = target.decode("latin-1")
        inbox, purpose = await self._inbox(called)
        request = InboundRequest(
            method=method,
            url=self._public_url + called,
            headers=texts_of(headers),
            body=body,
            received_at=datetime.now(UTC),
            origin=inbox.origin,
            purpose=purpose,
        )
        one = Submission(request, inbox.inbox_id)
        given, outcome = await self._taken(one, inbox)
        return Reply(given, one.raw_id, () if outcome is None else result_headers(outcome))

    async def _inbox(self, called: str) -> tuple[Inbox, str | None]:
        path = called.partition("?")[0]
        parts = (unquote(path) if "%" in path else path).split("/")
        if len(parts) not in (5, 6):
            raise Refusal(404, "not_found", "A hook's path is /hooks/{kind}/{provider}/{key}[/{purpose}].")
        channel, key = f"{parts[2]}/{parts[3]}", parts[4]
        inbox = self._directory.find(channel, key) or await self._directory.lookup(channel, key)
        if inbox is None and (self._directory.away or self._directory.is_broken(key)):
            raise Refusal(503, "away", "The inboxes cannot be looked up at the moment, please try again.")
        if inbox is None or inbox.disabled:
            raise Refusal(404, "not_found", "There is no open inbox behind this path: see `tamas inbox list`.")
        return inbox, parts[5] if len(parts) > 5 else None  # noqa: PLR2004 - the sixth part of the path

    async def _taken(self, one: Submission, inbox: Inbox) -> tuple[Answer, Outcome | None]:
        try:
            inbox.handler.verify(one.request)
        except BadSignature as error:
            self._requests.refused(inbox, one, str(error))
            return inbox.handler.acks.bad_signature, None
        acks = answering(inbox.handler, one.request)
        one.spools = not acks.retries
        read(one, inbox)
        try:
            outcome = await self._intake.submit(one)
        except Away:
            self._requests.tally.refuse(inbox.inbox_id, "away")
            return acks.away, None
        if outcome.result == "duplicate":
            self._requests.repeated(inbox, one)
        return acks.malformed if outcome.result == "parked" else acks.accepted, outcome


def read(one: Submission, inbox: Inbox) -> None:
    """Have the channel read a verified request, or set it aside for a parser or an operator."""
    if len(one.request.body) > _PARSED_AT_ONCE_BYTES:
        one.pending = True
        return
    try:
        one.heard = inbox.handler.parse(one.request)
    except Malformed as error:
        one.reason = str(error)
    except Exception as error:
        # The edge: a fault of ours is never the provider's; the request is kept and parked.
        _LOG.exception("a channel failed", channel=inbox.channel, raw_id=str(one.raw_id))
        one.reason = f"a fault of ours while reading it: {type(error).__name__}"


def result_headers(outcome: Outcome) -> tuple[tuple[bytes, bytes], ...]:
    """What every verified request is told: what became of it, and the ids of its events."""
    return (
        (b"tamas-result", outcome.result.encode()),
        (b"tamas-event-ids", ",".join([str(event_id) for event_id in outcome.event_ids]).encode()),
    )
