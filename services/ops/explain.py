"""`tamas explain`."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
import typer

from services.api.message_shapes import message_shown
from services.ops.answers import answering, lines_of
from services.ops.api_client import ask, has_token
from services.ops.options import Json, TenantName, identifier, settings, with_database
from services.ops.output import emit_one
from services.ops.whose import the_region
from services.record.errors import Refused
from services.settings import Settings


def run(
    message_id: Annotated[str, typer.Argument(help="As `tamas send` printed it.")],
    tenant: TenantName = None,
    *,
    as_json: Json = False,
) -> None:
    """Where a message of ours goes and why, every way that it does not take, and what became of it so far."""
    found = identifier(message_id)
    if has_token(settings()):
        row = ask(settings(), f"/api/v1/messages/{found}", {})
    else:
        owner, _ = the_region(with_database(), tenant)
        row = asyncio.run(_shown(with_database(), owner, found))
    emit_one(row if as_json else lines_of(row), as_json=as_json)


async def _shown(settings: Settings, tenant: str, message_id: UUID) -> dict[str, Any]:
    async with answering(settings) as answers:
        message = await answers.message(tenant, message_id)
    if message is None:
        raise Refused(f"There is no message {message_id}.")
    return orjson.loads(orjson.dumps(message_shown(message), option=orjson.OPT_UTC_Z))


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"explain": run}
