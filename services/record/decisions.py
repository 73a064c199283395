"""Decisions of aggregates in the record. The one file that knows the inside of the library `eventsourcing` (9.5).

Facts of `schemas` are the aggregates' events. Synchronous, as the library is: call it through `asyncio.to_thread`.
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID, uuid5

import psycopg
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import EventStore, JSONTranscoder, Mapper, StoredEvent
from eventsourcing.postgres import ConnectionPool, PostgresAggregateRecorder, PostgresDatastore
from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from psycopg.sql import SQL

from schemas.event import AnyFact, read_fact
from schemas.topics import TOPIC_OF
from services.keys.ring import Subject
from services.keys.vault import event_context, seal
from services.record import arrays
from services.record.errors import AlreadyDone, Conflict, Fenced
from services.record.lock import TAKE_LOCK, TIMEOUTS
from services.settings import Misconfigured

_LEASE: Final = "SELECT epoch FROM service.leases WHERE name = %s AND epoch = %s FOR SHARE"
_COMMAND: Final = "SELECT position FROM record.commands WHERE tenant = %s AND command_id = %s"
_SELECT: Final = """
    SELECT tenant, originator_id, originator_version, correlation_id, causation_id, state FROM record.decisions
    WHERE originator_id = ANY(%s) ORDER BY originator_id, originator_version"""
_INSERT: Final = (Path(__file__).parent / "insert_decisions.sql").read_bytes()

InTransaction = Callable[[Cursor[DictRow]], None]


@dataclass(frozen=True, slots=True)
class Lease:
    """A slot that one process holds at a time; the epoch grows with each holder."""

    name: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Command:
    """What someone asked for, by an id of theirs: asked again, it is not done again."""

    tenant: str
    command_id: UUID


@dataclass(frozen=True, slots=True)
class Decided:
    """One fact with its place in its stream; versions count from 1.

    `sealed_under` is the address whose key the personal part is for; what is loaded again comes without that part.
    """

    stream_id: UUID
    version: int
    tenant: str
    fact: AnyFact
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    sealed_under: Subject | None = None

    @property
    def event_id(self) -> UUID:
        """Derived from the place, so that it is the same wherever it is told."""
        return uuid5(self.stream_id, str(self.version))

    @property
    def originator_id(self) -> UUID:
        """The library's name of the stream."""
        return self.stream_id

    @property
    def originator_version(self) -> int:
        """The library's name of the version."""
        return self.version


@dataclass(frozen=True)
class _StoredDecision(StoredEvent):
    decided: Decided
    personal: bytes | None


class _FactMapper(Mapper[UUID]):
    """State is the fact's own clear JSON and the topic is `type.vN`: neither knows a Python path."""

    def __init__(self) -> None:
        super().__init__(JSONTranscoder())

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        decided = cast("Decided", domain_event)
        fact = decided.fact
        topic = f"{fact.type}.v{fact.version}"
        sealed = _sealed(decided)
        return _StoredDecision(decided.stream_id, decided.version, topic, fact.clear_json(), decided, sealed)


def _sealed(decided: Decided) -> bytes | None:
    personal = decided.fact.personal_json()
    if personal is None:
        return None
    if decided.sealed_under is None:
        raise TypeError(f"{decided.fact.type} has a personal part: say whose key it is sealed under")
    return seal(decided.sealed_under.cipher, personal, event_context(decided.event_id.bytes, 1))


def _check_alive(connection: Connection[DictRow]) -> None:
    connection.execute("")


class _Datastore(PostgresDatastore):
    """The library's connections, by a URL and with the timeouts of writers to the record."""

    def __init__(self, url: str, size: int) -> None:
        super().__init__("", "", "", "", "", schema="record")
        self.pool: ConnectionPool[Connection[DictRow]] = ConnectionPool(
            url,
            connection_class=Connection[DictRow],
            kwargs={
                "row_factory": dict_row,
                "autocommit": True,
                "options": TIMEOUTS,
                "application_name": "tamas-decisions",
                "connect_timeout": 5,
            },
            min_size=0,
            max_size=size,
            open=False,
            configure=arrays.adapt,
            check=_check_alive,
            reconnect_timeout=0,
            timeout=5,
        )

    def register_type_adapters(self) -> None:
        """The schema is ours: the library's composite type is not in it."""


class _Recorder(PostgresAggregateRecorder):
    """Without the library's table lock and NOTIFY: the record's advisory lock orders facts and decisions together."""

    def __init__(self, datastore: _Datastore) -> None:
        super().__init__(datastore, events_table_name="decisions")
        self.select_events_statement = SQL(
            "SELECT originator_id, originator_version, state_topic AS topic, state FROM record.decisions "
            "WHERE originator_id = %s"
        )

    def select_many(self, stream_ids: Collection[UUID]) -> list[DictRow]:
        with self.datastore.pool.connection() as connection:
            return connection.execute(_SELECT, (list(stream_ids),)).fetchall()

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        command: Command | None = kwargs["command"]
        try:
            with self.datastore.pool.connection() as connection:
                return _save(connection, cast("Sequence[_StoredDecision]", stored_events), **kwargs)
        except psycopg.errors.UniqueViolation as error:
            if error.diag.table_name not in ("decisions", "commands"):
                raise
            # Also what a lost acknowledgement of our own commit looks like, when the save is tried again.
            self._check_command(command)
            raise Conflict("another decision about the same thing was saved first; try again") from error

    def _check_command(self, command: Command | None) -> None:
        if command is not None:
            with self.datastore.pool.connection() as connection:
                _refuse_repeat(connection.execute(_COMMAND, (command.tenant, command.command_id)))


def _save(
    connection: Connection[DictRow],
    stored: Sequence[_StoredDecision],
    *,
    lease: Lease | None,
    command: Command | None,
    within: InTransaction | None,
) -> list[int]:
    with connection.pipeline():
        connection.execute("BEGIN")
        held = None if lease is None else connection.execute(_LEASE, (lease.name, lease.epoch))
        known = None if command is None else connection.execute(_COMMAND, (command.tenant, command.command_id))
    if held is not None and held.fetchone() is None:
        raise Fenced("another process holds the lease of this work now")
    _refuse_repeat(known)
    if within is not None:
        with connection.pipeline():
            within(connection.cursor())
    saved = None
    with connection.pipeline():
        if stored:
            connection.execute(TAKE_LOCK)
            saved = connection.execute(_INSERT, _parameters(stored, command))
        connection.execute("COMMIT")
    return [] if saved is None else [row["position"] for row in saved.fetchall()]


def _refuse_repeat(known: Cursor[DictRow] | None) -> None:
    row = None if known is None else known.fetchone()
    if row is not None:
        raise AlreadyDone(row["position"])


def _parameters(stored: Sequence[_StoredDecision], command: Command | None) -> tuple[object, ...]:
    facts = [row.decided.fact for row in stored]
    command_id = None if command is None else command.command_id
    return (
        arrays.uuids(row.decided.stream_id for row in stored),
        arrays.bigs(row.decided.version for row in stored),
        arrays.texts(row.decided.tenant for row in stored),
        arrays.texts(TOPIC_OF[fact.type] for fact in facts),
        arrays.texts(fact.type for fact in facts),
        arrays.smalls(fact.version for fact in facts),
        arrays.uuids(row.decided.event_id for row in stored),
        arrays.uuids(row.decided.correlation_id for row in stored),
        arrays.uuids(row.decided.causation_id for row in stored),
        arrays.texts(row.topic for row in stored),
        arrays.blobs(row.state for row in stored),
        arrays.uuids(_key_of(row) for row in stored),
        arrays.blobs(row.personal for row in stored),
        None if command is None else command.tenant,
        command_id,
        command_id,
    )


def _key_of(row: _StoredDecision) -> UUID | None:
    subject = row.decided.sealed_under
    return None if subject is None or row.personal is None else subject.address_id


class Decisions:
    """Loads streams and saves decisions. One per process; safe for several threads, never to be called on the loop."""

    def __init__(self, url: str, *, size: int = 2) -> None:
        """`url` is RECORD_URL; at most `size` connections, opened at the first use.

        Raises:
            Misconfigured: the environment asks the library for its database functions, which lose events for readers.
        """
        if os.environ.get("POSTGRES_ENABLE_DB_FUNCTIONS", "").lower() not in ("", "0", "n", "no", "f", "false", "off"):
            raise Misconfigured("POSTGRES_ENABLE_DB_FUNCTIONS must not be set: it loses events for tailing readers")
        datastore = _Datastore(url, size)
        self._pool: Final = datastore.pool
        self._recorder: Final = _Recorder(datastore)
        self._store: Final = EventStore[UUID](_FactMapper(), self._recorder)

    def load(self, stream_ids: Collection[UUID]) -> dict[UUID, list[Decided]]:
        """What was decided in each of these streams, in order, in one trip; an empty list for one that has nothing."""
        self._pool.open()
        streams: dict[UUID, list[Decided]] = {stream_id: [] for stream_id in stream_ids}
        for row in self._recorder.select_many(stream_ids):
            streams[row["originator_id"]].append(
                Decided(
                    row["originator_id"],
                    row["originator_version"],
                    row["tenant"],
                    read_fact(row["state"]),
                    row["correlation_id"],
                    row["causation_id"],
                )
            )
        return streams

    def save(
        self,
        decided: Sequence[Decided],
        *,
        lease: Lease | None = None,
        command: Command | None = None,
        within: InTransaction | None = None,
    ) -> int | None:
        """Save all or nothing in one transaction; returns the last position, None when there was nothing to save.

        `within` runs in the transaction before the record's lock is taken: for the position consumed so far, timers.
        Its statements are one trip, and one more for each result that it looks at.
        A command without decisions is not noted. Raises Fenced, AlreadyDone, Conflict, or what `within` raises;
        psycopg.OperationalError leaves open whether it was saved: with a command id, try again.
        """
        self._pool.open()
        recordings = self._store.put(decided, lease=lease, command=command, within=within)
        return max((recording.notification.id for recording in recordings), default=None)

    def close(self) -> None:
        """Give the connections back; harmless when repeated."""
        self._pool.close()
