"""`tamas send`."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID, uuid4

import orjson
import typer

from services.answering.asking import Draft, NoWay
from services.api.message_shapes import asked_shown
from services.ops.answers import answering, lines_of
from services.ops.api_client import has_token, order
from services.ops.options import Json, TenantName, settings, with_database
from services.ops.output import emit_one, say
from services.ops.timeline import items_with
from services.ops.whose import the_region
from services.record.errors import Refused
from services.settings import Settings

_LOOKED_AT: Final = 200


def run(
    address: Annotated[str, typer.Argument(help="tel:+98…, mailto:…, or as people write a number or a mailbox.")],
    text: Annotated[str, typer.Option(help="What to say.")],
    via: Annotated[str | None, typer.Option(metavar="CHANNEL", help="On this one: sms, email, chat/telegram.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why on that channel.")] = None,
    tenant: TenantName = None,
    *,
    as_json: Json = False,
) -> None:
    """Answer in the present conversation of an address; by the API when TAMAS_API_TOKEN is set, else by the database.

    It is recorded then, and sent when dispatch runs.
    """
    if via is not None and not (reason or "").strip():
        raise typer.BadParameter("say why, with --reason", param_hint="--via")
    found = items_with(address, tenant, limit=_LOOKED_AT)
    of = next((item["conversation_id"] for item in found if item["conversation_id"] is not None), None)
    if of is None:
        raise Refused("There is no conversation with this address that could be answered.")
    if has_token(settings()):
        body = {"text": text, "via": via, "reason": reason}
        row = order(settings(), f"/api/v1/conversations/{of}/messages", body)
    else:
        owner, _ = the_region(with_database(), tenant)
        row = asyncio.run(_asked(with_database(), owner, UUID(of), Draft(text, via=via, reason=reason)))
    emit_one(row if as_json else lines_of(row), as_json=as_json)


async def _asked(settings: Settings, tenant: str, of: UUID, draft: Draft) -> dict[str, Any]:
    async with answering(settings) as answers:
        try:
            asked = await answers.ask(tenant, of, draft, command_id=uuid4(), now=datetime.now(UTC))
        except NoWay as refused:
            for one in refused.resolution.rejected:
                say(f"  {one.channel}: {one.why}")
            raise
    return orjson.loads(orjson.dumps(asked_shown(asked), option=orjson.OPT_UTC_Z))


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"send": run}
