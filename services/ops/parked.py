"""`tamas parked`."""

from collections.abc import Callable
from typing import Annotated, Any, Final

import typer
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from services.ops.exits import NO
from services.ops.options import Json, TenantName, identifier, with_database
from services.ops.output import emit_one, emit_rows, say
from services.ops.raw_request import raw_request, write
from services.record.errors import Refused
from services.settings import Settings

_COLUMNS: Final = ("parked_id", "tenant", "inbox_id", "stage", "reason", "parked_at", "state")
_LIST: Final = """
    SELECT parked_id, tenant, inbox_id, raw_id, stage, reason, parked_at, state, resolution FROM service.parked
    WHERE (state = 'parked' OR %(every)s) AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s::text)
    ORDER BY parked_at DESC LIMIT %(limit)s"""
_ONE: Final = """
    SELECT parked_id, tenant, inbox_id, raw_id, day, stage, reason, parked_at, state, resolution FROM service.parked
    WHERE parked_id = %(parked_id)s AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s::text)"""
# One statement, so that what is handed to the parsers is what is marked. A request dropped with its day stays parked.
_RETRY: Final = """
    WITH chosen AS (
        UPDATE service.parked AS parked SET state = 'retried', resolution = 'handed to the parsers again'
        WHERE state = 'parked' AND (parked_id = %(parked_id)s::uuid OR %(parked_id)s::uuid IS NULL)
            AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s::text)
            AND EXISTS (SELECT FROM record.raw WHERE raw.raw_id = parked.raw_id AND raw.day = parked.day)
        RETURNING raw_id, day, tenant, inbox_id
    )
    INSERT INTO service.pending (raw_id, day, tenant, inbox_id) SELECT DISTINCT * FROM chosen
    ON CONFLICT (raw_id) DO UPDATE SET tries = 0, claimed_until = '-infinity'"""
_DISCARD: Final = """
    UPDATE service.parked SET state = 'discarded', resolution = %(reason)s
    WHERE state = 'parked' AND parked_id = %(parked_id)s AND (%(tenant)s::text IS NULL OR tenant = %(tenant)s::text)"""


def list_parked(
    *,
    every: Annotated[bool, typer.Option("--every", help="Also what was retried or discarded.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1)] = 100,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """What waits for somebody; newest first."""
    with _connected(with_database()) as connection:
        rows = connection.execute(_LIST, {"every": every, "tenant": tenant, "limit": limit}).fetchall()
    emit_rows(rows, _COLUMNS, as_json=as_json)
    if not rows:
        say("Nothing is parked.")


def show(
    parked_id: str,
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The request itself, as it came.")] = False,
    tenant: TenantName = None,
    as_json: Json = False,
) -> None:
    """One of them, with its reason."""
    settings = with_database()
    with _connected(settings) as connection:
        row = _one(connection, parked_id, tenant)
    if raw:
        if row["raw_id"] is None:
            raise Refused("It came from no request: see its reason.")
        write(raw_request(settings, row["raw_id"], row["tenant"]))
        return
    emit_one({name: value for name, value in row.items() if name != "day"}, as_json=as_json)


def retry(
    parked_id: Annotated[str | None, typer.Argument()] = None,
    *,
    all_of_them: Annotated[bool, typer.Option("--all", help="All that are parked.")] = False,
    tenant: TenantName = None,
) -> None:
    """Hand it to the parsers again, once the cause is mended."""
    if (parked_id is None) != all_of_them:
        raise typer.BadParameter("name one by its id, or all with --all")
    with _connected(with_database()) as connection:
        if parked_id is not None:
            row = _one(connection, parked_id, tenant)
            if row["state"] != "parked":
                raise Refused(f"It is {row['state']} already.")
        chosen = None if parked_id is None else identifier(parked_id)
        count = connection.execute(_RETRY, {"parked_id": chosen, "tenant": tenant}).rowcount
    if parked_id is not None and not count:
        raise Refused("Its request is not there any more: it was dropped with its day, or there never was one.")
    say(f"{count} handed to the parsers.")


def discard(
    parked_id: str, *, reason: Annotated[str, typer.Option(help="Why; it stays beside it.")], tenant: TenantName = None
) -> None:
    """Give it up. Its request is kept until its day is dropped."""
    with _connected(with_database()) as connection:
        row = _one(connection, parked_id, tenant)
        arguments = {"parked_id": row["parked_id"], "reason": reason, "tenant": tenant}
        if not connection.execute(_DISCARD, arguments).rowcount:
            say(f"It is {row['state']} already.")
            raise typer.Exit(NO)
    say("Discarded.")


def _connected(settings: Settings) -> Connection[DictRow]:
    return Connection[DictRow].connect(settings.record_url, autocommit=True, connect_timeout=5, row_factory=dict_row)


def _one(connection: Connection[DictRow], parked_id: str, tenant: str | None) -> DictRow:
    arguments = {"parked_id": identifier(parked_id), "tenant": tenant}
    row = connection.execute(_ONE, arguments).fetchone()
    if row is None:
        raise Refused(f"Nothing is parked by the id {parked_id}.")
    return row


COMMANDS: Final[dict[str, Callable[..., Any]]] = {
    "list": list_parked,
    "show": show,
    "retry": retry,
    "discard": discard,
}
