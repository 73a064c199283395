"""`tamas record adopt --from-kafka`: what was put back, what was not, and what is left to do."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Final

import psycopg
import typer

from services.ops.output import emit_json, emit_rows
from services.ops.published import highest_published
from services.ops.topics import with_broker
from services.put_back.put_back import put_back
from services.put_back.tally import Line, Tally
from services.record.errors import Refused
from services.settings import Settings
from services.tenancy.store import Tenancy

_COLUMNS: Final = ("topic", "read", "already_there", "put_back", "left_out", "why")
_GIVEN_OUT: Final = "SELECT last_value FROM record.position"
_WITH_KEYS: Final = """
    SELECT inbox_id FROM keys.doors WHERE inbox_id = ANY(%(inboxes)s) AND valid_until > clock_timestamp()
    UNION SELECT inbox_id FROM keys.secrets WHERE inbox_id = ANY(%(inboxes)s) AND valid_until > clock_timestamp()"""


def on_the_wire(settings: Settings) -> int:
    """The highest position on the broker.

    Raises:
        Misconfigured: no broker is known.
        aiokafka.errors.KafkaError, TimeoutError: the broker is away.
    """
    return asyncio.run(highest_published(with_broker(settings)))


def put_back_lost(settings: Settings, published: int, *, as_json: bool) -> None:
    """Put back, and print it: a line for each topic, then what is left to do. `published` is the wire's highest number.

    Raises:
        Refused: the wire is ahead of a record that nothing shows to have moved.
        aiokafka.errors.KafkaError, TimeoutError: the broker is away.
        psycopg.OperationalError: PostgreSQL is away; run it again.
    """
    _refuse_overtaken(settings, published)
    tally = asyncio.run(put_back(settings))
    emit_rows([_row(topic, line) for topic, line in tally.topics.items()], _COLUMNS, as_json=as_json)
    notes = list(_notes(settings, tally))
    if as_json:
        emit_json({"note": note} for note in notes)
        return
    if not tally.topics:
        typer.echo("The topics hold nothing that the record could have lost.")
    for note in notes:
        typer.echo(f"* {note}")


def _refuse_overtaken(settings: Settings, published: int) -> None:
    with psycopg.connect(settings.record_url, autocommit=True, connect_timeout=5) as connection:
        row = connection.execute(_GIVEN_OUT).fetchone()
    given_out = 0 if row is None else int(row[0])
    if published > given_out:
        raise Refused(
            f"The topics go up to {published} and the record only to {given_out}, on the server where it was: an older "
            "state of its disk was put back. Stop everything that uses it, then add --anyway."
        )


def _row(topic: str, line: Line) -> dict[str, object]:
    return {
        "topic": topic,
        "read": line.read,
        "already_there": line.already_there,
        "put_back": line.put_back,
        "left_out": sum(line.left_out.values()),
        "why": "; ".join(f"{count} {reason}" for reason, count in line.left_out.items()),
    }


def _notes(settings: Settings, tally: Tally) -> Iterator[str]:
    """In words for whoever has to act."""
    facts = sum(line.put_back for topic, line in tally.topics.items() if topic != "settings")
    left_out = sum(sum(line.left_out.values()) for line in tally.topics.values())
    if facts:
        yield (
            f"{facts} facts stand without the requests that they came from, which are not on topics: they cannot be "
            "parsed again. What was taken but not yet published is on no topic; providers that send again bring it."
        )
    yield from _about_inboxes(settings, tally)
    yield from _about_people(tally)
    if left_out:
        yield (
            f"{left_out} were left out. Read models that were fed by topics may know some of them: "
            "run tamas rebuild timeline once the relay has caught up."
        )


def _about_inboxes(settings: Settings, tally: Tally) -> Iterator[str]:
    with Tenancy(settings) as tenancy:
        known: Mapping[object, str] = {inbox.inbox_id: inbox.name for _, inbox, _ in tenancy.register().of(None)}
    settled = sorted(tally.settled & known.keys(), key=str)
    with psycopg.connect(settings.keys_url, autocommit=True, connect_timeout=5) as connection:
        whole = {row[0] for row in connection.execute(_WITH_KEYS, {"inboxes": settled})}
    for inbox_id in settled:
        if inbox_id in whole:
            yield f"The inbox {known[inbox_id]!r} was added or changed: see tamas inbox check {inbox_id}."
        else:
            yield (
                f"The inbox {known[inbox_id]!r} is back without key and secrets, which are never on topics: "
                f"tamas inbox set {inbox_id} --secret gives it its secrets, tamas inbox rotate {inbox_id} a new key to "
                "tell its provider (a mailbox needs none)."
            )
    for inbox_id, count in tally.inboxes.items():
        if inbox_id not in known:
            yield (
                f"{count} facts came by the inbox {inbox_id}, which is not in the record and no longer on topics: they "
                "are kept under its id; add the inbox again to go on receiving."
            )


def _about_people(tally: Tally) -> Iterator[str]:
    if tally.without_person:
        yield f"{tally.without_person} facts about erased addresses came back as numbers alone."
    if tally.new_keys:
        yield (
            f"{len(tally.new_keys)} addresses had lost their keys and have new ones: attachments and whole mails of "
            "theirs, sealed under the old ones, do not open until they are sent again."
        )
    if tally.erased_again:
        yield f"{tally.erased_again} addresses whose erasure was lost are erased again."
    for address_id in tally.not_yet_erased:
        yield (
            f"The address {address_id} was erased, and requests that name it wait for a parser now: start Tamas, then "
            "run tamas record adopt --from-kafka again."
        )
