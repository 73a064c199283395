"""`tamas deliver`: a recorded request or mail to the front door, as its provider sends it."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from services.ops.chat_delivery import send_frames
from services.ops.exits import NO, NOT_ALLOWED
from services.ops.front_door import http_url, public_url, smtp_address
from services.ops.mail_delivery import send_mail
from services.ops.options import Json, TenantName, identifier, with_database
from services.ops.outgoing import prepare
from services.ops.output import emit_json, say, shown
from services.ops.request_file import Recorded, read
from services.ops.signers import Outgoing
from services.settings import Settings
from services.tenancy.handlers import build, offered
from services.tenancy.store import InboxView, Tenancy

_REFUSALS: Final = (401, 403)
_FIRST_FAILURE: Final = 400


def deliver(
    file: Annotated[Path, typer.Argument(help="A raw request (.http), a mail (.eml) or a payload (.json).")],
    *,
    inbox: Annotated[str, typer.Option(metavar="ID", help="The inbox that it is for.")],
    times: Annotated[int, typer.Option(min=1, help="Send the very same this often, one after the other.")] = 1,
    forge: Annotated[bool, typer.Option("--forge", help="Sign with a wrong secret.")] = False,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """Send a recorded request or mail to the running front door and show each answer. Exit 1 (77) on a refusal.

    A mail for an inbox of email/imap is put into its mailbox.
    """
    settings = with_database()
    recorded = read(file)
    with Tenancy(settings) as tenancy:
        view = tenancy.view(tenant, identifier(inbox))
        if recorded.is_mail:
            if forge:
                say("Nothing signs a mail: there is nothing to forge.")
            answers = _mailed(settings, tenancy, view, recorded, times)
        else:
            request = prepare(settings, tenancy, view, recorded, forge=forge)
            if forge and not request.added:
                say(f"Whoever sends to {view.inbox.channel} signs nothing: there is nothing to forge.")
            send = send_frames if view.inbox.channel == "chat/widget" else _send
            answers = send(request, public_url(settings), http_url(settings), times)
        statuses = [_tell(answer, as_json=as_json) for answer in answers]
    if any(status in _REFUSALS for status in statuses):
        raise typer.Exit(NOT_ALLOWED)
    if any(status >= _FIRST_FAILURE for status in statuses):
        raise typer.Exit(NO)


def _mailed(
    settings: Settings, tenancy: Tenancy, view: InboxView, recorded: Recorded, times: int
) -> Iterator[Mapping[str, object]]:
    inbox = view.inbox
    if inbox.channel != "email/imap":
        return send_mail(smtp_address(settings), recorded, inbox.address, times)
    from services.ops import imap_mailbox  # noqa: PLC0415 - only where mail is fetched from a mailbox

    given = {**inbox.settings, **tenancy.secrets(inbox.inbox_id)}
    handler = build(inbox.channel, given, offered(tenancy.register().tenants[view.tenant], inbox.address))
    return imap_mailbox.put(handler, recorded, times)


def _send(request: Outgoing, signed_base: str, real_base: str, times: int) -> Iterator[Mapping[str, object]]:
    target = request.url.removeprefix(signed_base)
    with httpx.Client(timeout=30, headers={"user-agent": "tamas-deliver"}, trust_env=False) as client:
        for number in range(1, times + 1):
            started = time.perf_counter()
            # The very bytes that were signed: a client would spell some characters of a URL in its own way.
            answer = client.request(
                request.method,
                real_base + target,
                headers=request.headers,
                content=request.body,
                extensions={"target": target.encode()},
            )
            yield {
                "number": number,
                "status": answer.status_code,
                "result": answer.headers.get("tamas-result"),
                "event_ids": [
                    one.strip() for one in answer.headers.get("tamas-event-ids", "").split(",") if one.strip()
                ],
                "request_id": answer.headers.get("tamas-request-id"),
                "answer": answer.text[:500],
                "seconds": round(time.perf_counter() - started, 4),
            }


def _tell(answer: Mapping[str, object], *, as_json: bool) -> int:
    if as_json:
        emit_json([answer])
    else:
        result = answer["result"] or str(answer["answer"]).strip().partition("\n")[0]
        typer.echo(f"{answer['status']} {shown(result)} {' '.join(map(str, _listed(answer['event_ids'])))}".rstrip())
    status = answer["status"]
    return status if isinstance(status, int) else 0


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"deliver": deliver}
