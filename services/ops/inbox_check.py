"""`tamas inbox check` and `requests`: does it work, and what came in."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final
from uuid import UUID

import httpx
import psycopg
import typer
from psycopg.rows import dict_row

from channels.chat.widget import Widget, WidgetConfig
from channels.voice.twilio import TwilioVoice
from services.ops import outlet_check
from services.ops.exits import NO
from services.ops.front_door import http_url
from services.ops.options import Json, TenantName, identifier, with_database
from services.ops.output import emit_rows, say
from services.record.errors import Refused
from services.settings import Settings
from services.tenancy.handlers import build, offered
from services.tenancy.store import InboxView, Tenancy

_COLUMNS: Final = ("received_at", "result", "reason", "event_ids", "request_id")
_REQUESTS: Final = """
    SELECT request_id, received_at, result, reason, raw_id, event_ids FROM service.requests
    WHERE inbox_id = %s AND (%s::text IS NULL OR result = %s::text) ORDER BY received_at DESC LIMIT %s"""

Finding = tuple[str, bool, str]


def check(inbox_id: str, tenant: TenantName = None, *, as_json: Json = False) -> None:
    """Look whether an inbox can work: settings, secrets, key, front door. Exit 1 when something is wrong."""
    settings = with_database()
    with Tenancy(settings) as tenancy:
        view = tenancy.view(tenant, identifier(inbox_id))
        findings = [*_inside(settings, tenancy, view), *_outside(settings, view)]
    rows = [{"check": name, "ok": ok, "detail": detail} for name, ok, detail in findings]
    emit_rows(rows, ("check", "ok", "detail"), as_json=as_json)
    if not all(ok for _, ok, _ in findings):
        raise typer.Exit(NO)


def requests(
    inbox_id: str,
    result: Annotated[str | None, typer.Option(help="Only these, such as bad_signature or parked.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 50,
    tenant: TenantName = None,
    *,
    as_json: Json = False,
) -> None:
    """The last requests that were refused, parked or repeated; newest first."""
    settings = with_database()
    found = identifier(inbox_id)
    with Tenancy(settings) as tenancy:
        if tenancy.register().inbox(tenant, found) is None:
            raise Refused(f"There is no inbox {inbox_id}.")
    rows = _requests(settings, found, result, limit)
    emit_rows(rows, _COLUMNS, as_json=as_json)
    if not rows:
        say("Nothing is noted for this inbox.")


def _requests(settings: Settings, inbox_id: UUID, result: str | None, limit: int) -> list[Mapping[str, object]]:
    with (
        psycopg.connect(settings.record_url, autocommit=True, connect_timeout=5) as connection,
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        return list(cursor.execute(_REQUESTS, (inbox_id, result, result, limit)).fetchall())


def _inside(settings: Settings, tenancy: Tenancy, view: InboxView) -> Iterator[Finding]:
    inbox = view.inbox
    yield "open", not view.disabled, "it is disabled" if view.disabled else "it takes what comes"
    yield "key", view.key is not None, "it has a key" if view.key else "it has none: tamas inbox rotate"
    given = {**inbox.settings, **tenancy.secrets(inbox.inbox_id)}
    try:
        handler = build(inbox.channel, given, offered(tenancy.register().tenants[view.tenant], inbox.address))
    except Refused as error:
        yield "settings", False, str(error)
        return
    yield "settings", True, "its channel takes its settings and secrets"
    if isinstance(handler, TwilioVoice):
        yield "callers", True, handler.explained()
    if isinstance(handler, Widget):
        yield from _embedded(handler.config)
    if not view.disabled:
        yield from outlet_check.findings(handler)
    if inbox.channel == "email/imap" and not view.disabled:
        from services.ops import imap_mailbox  # noqa: PLC0415 - only where there is a mailbox to look at

        yield from imap_mailbox.findings(settings, inbox.inbox_id, handler)


def _embedded(config: WidgetConfig) -> Iterator[Finding]:
    sites = ", ".join(config.origins)
    yield "origins", True, f"only {sites} may embed it" if sites else "any site may embed it: origins is empty"
    proven = "visitors may be proven" if config.proof_key else "every visitor is anonymous: it has no proof_key"
    yield "proof", True, proven


def _outside(settings: Settings, view: InboxView) -> Iterator[Finding]:
    if view.inbox.channel.startswith("email/"):
        return
    url = f"{http_url(settings)}/livez"
    try:
        answer = httpx.get(url, timeout=5)
    except httpx.TransportError as error:
        yield "front door", False, f"{url} is not reached: {error}"
    else:
        yield "front door", answer.is_success, f"{url} answers {answer.status_code}"
