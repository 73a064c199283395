"""`tamas parse`: recorded requests through a channel, without any server."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from channels.contract import Channel, Heard, InboundRequest, Origin
from channels.errors import BadSignature, Malformed
from schemas.fact import join
from schemas.reference import reference
from services.ops.exits import meaning
from services.ops.options import Json, Pairs, Secrets, TenantName, moment, pairs, secrets
from services.ops.output import emit_json, emit_one, say
from services.ops.request_file import Recorded, read
from services.record.facts import event_id_of
from services.tenancy.handlers import build, build_without, natural_name


def parse(
    channel: Annotated[str, typer.Argument(metavar="KIND/PROVIDER")],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Raw requests (.http), mails (.eml) or .json.")
    ],
    *,
    hidden: Secrets = None,
    given: Pairs = None,
    url: Annotated[str | None, typer.Option(help="The URL that the provider called, as it was signed.")] = None,
    now: Annotated[str | None, typer.Option(metavar="TIME", help="When the requests came; now if not given.")] = None,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """Show the events that recorded requests would make. With --secret their signatures are checked too."""
    received_at = datetime.now(UTC) if now is None else moment(now)
    sealed, settings = secrets(hidden), pairs(given)
    highest = 0
    for path in files:
        try:
            recorded = read(path)
            handler = _handler(channel, settings, sealed, recorded)
            origin = Origin(tenant or "example", _natural_name(channel, settings, recorded))
            request = _request(recorded, origin, received_at, url)
            if sealed:
                handler.verify(request)
            rows = list(_rows(path, request, handler))
        except (Malformed, BadSignature) as error:
            code, sentence = meaning(error) or (1, str(error))
            say(f"{path}: {sentence}")
            highest = max(highest, code)
            continue
        _tell(rows, as_json=as_json)
        if not rows:
            say(f"{path}: there is nothing to say about it.")
    if highest:
        raise typer.Exit(highest)


def _handler(channel: str, settings: Mapping[str, str], sealed: Mapping[str, str], recorded: Recorded) -> Channel:
    address = recorded.target.removeprefix("mailto:") if recorded.is_mail else ""
    offered = {"region": "IR", **({"address": address} if address else {})}
    if sealed:
        return build(channel, {**settings, **sealed}, offered)
    return build_without(channel, settings, offered)


def _natural_name(channel: str, settings: Mapping[str, str], recorded: Recorded) -> str:
    address = settings.get("address") or (recorded.target.removeprefix("mailto:") if recorded.is_mail else "")
    return natural_name(channel, "example", address, settings)


def _request(recorded: Recorded, origin: Origin, received_at: datetime, url: str | None) -> InboundRequest:
    return InboundRequest(
        method=recorded.method,
        url=url or recorded.url(),
        headers=recorded.headers,
        body=recorded.body,
        received_at=received_at,
        origin=origin,
        purpose=recorded.suffix().partition("?")[0].strip("/") or None,
    )


def _rows(path: Path, request: InboundRequest, handler: Channel) -> Iterator[dict[str, object]]:
    for heard in handler.parse(request):
        event_id = event_id_of(request.origin, heard)
        yield {
            "file": str(path),
            "event_id": event_id,
            "reference": reference(event_id),
            "type": heard.fact.type,
            "address": heard.address,
            "source_key": heard.source_key,
            "occurred_at": heard.occurred_at or request.received_at,
            "fact": _fact(heard),
            "blobs": [{"blob_id": blob.blob_id, "bytes": len(blob.content)} for blob in heard.blobs],
        }


def _fact(heard: Heard) -> object:
    return orjson.loads(join(heard.fact.clear_json(), heard.fact.personal_json()))


def _tell(rows: list[dict[str, object]], *, as_json: bool) -> None:
    if as_json:
        emit_json(rows)
        return
    for row in rows:
        fact = orjson.dumps(row.pop("fact"), option=orjson.OPT_INDENT_2).decode()
        emit_one({**row, "fact": fact}, as_json=False)


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"parse": parse}
