"""`/hooks/{kind}/{provider}/{key}`: where providers post. Answered by each provider's own contract."""

from datetime import UTC, datetime
from typing import Final

import structlog

from channels.contract import Answer, InboundRequest
from channels.errors import BadSignature, Malformed
from services.ingress.http import Receive, Refusal, Scope, Send, answer, body_of, headers_of
from services.ingress.intake import Intake
from services.ingress.requests import RequestLog
from services.ingress.submission import Away, Outcome, Submission
from services.tenancy.directory import Directory, Inbox

_BODY_LIMIT: Final = 4 << 20
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
        """Verify, parse, commit, answer. Raises `Refusal` for what no channel will see."""
        inbox, purpose = await self._inbox(scope["path"])
        headers = headers_of(scope)
        body = await body_of(scope, receive, _BODY_LIMIT)
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        request = InboundRequest(
            method=scope["method"],
            url=f"{self._public_url}{path}?{query}" if query else self._public_url + path,
            headers=headers,
            body=body,
            received_at=datetime.now(UTC),
            origin=inbox.origin,
            purpose=purpose,
        )
        one = Submission(request, inbox.inbox_id)
        given, outcome = await self._taken(one, inbox)
        extra = () if outcome is None else result_headers(outcome)
        await answer(send, given, one.raw_id, extra)

    async def _inbox(self, path: str) -> tuple[Inbox, str | None]:
        parts = path.split("/")
        if len(parts) not in (5, 6):
            raise Refusal(404, "not_found", "A hook's path is /hooks/{kind}/{provider}/{key}[/{purpose}].")
        channel, key = f"{parts[2]}/{parts[3]}", parts[4]
        inbox = self._directory.find(channel, key) or await self._directory.lookup(channel, key)
        if inbox is None and self._directory.away:
            raise Refusal(503, "away", "The inboxes cannot be looked up at the moment, please try again.")
        if inbox is None or inbox.disabled:
            raise Refusal(404, "not_found", "There is no open inbox behind this path: see `tamas inbox list`.")
        return inbox, parts[5] if len(parts) > 5 else None  # noqa: PLR2004 - the sixth part of the path

    async def _taken(self, one: Submission, inbox: Inbox) -> tuple[Answer, Outcome | None]:
        acks = inbox.handler.acks
        try:
            inbox.handler.verify(one.request)
        except BadSignature as error:
            self._requests.refused(inbox, one, str(error))
            return acks.bad_signature, None
        read(one, inbox)
        try:
            outcome = await self._intake.submit(one)
        except Away:
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
        (b"tamas-event-ids", ",".join(map(str, outcome.event_ids)).encode()),
    )
