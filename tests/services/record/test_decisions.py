"""Decisions against a real PostgreSQL: order, conflicts, repeats, fences."""

import threading
from collections.abc import Iterator
from uuid import UUID, uuid4, uuid5

import psycopg
import pytest

from schemas.interaction import Content, InteractionReceived
from schemas.setting import InboxChanged, InboxDisabled
from services.record.decisions import Command, Decided, Decisions, Lease
from services.record.errors import AlreadyDone, Conflict, Fenced
from services.settings import Misconfigured, Settings


@pytest.fixture
def decisions(settings: Settings) -> Iterator[Decisions]:
    made = Decisions(settings.record_url, size=4)
    yield made
    made.close()


def rows(settings: Settings, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(settings.record_url) as connection:
        return connection.execute(query.encode()).fetchall()


def disabled(stream: UUID, version: int) -> Decided:
    return Decided(stream, version, "acme", InboxDisabled(inbox_id=stream))


def test_what_is_saved_is_loaded_again_in_order(decisions: Decisions) -> None:
    one, two, empty = uuid4(), uuid4(), uuid4()
    saved = [
        Decided(one, 1, "acme", InboxChanged(inbox_id=one, settings={"a": "سلام"}), correlation_id=two),
        Decided(one, 2, "acme", InboxDisabled(inbox_id=one)),
        Decided(two, 1, "other", InboxDisabled(inbox_id=two), causation_id=one),
    ]
    decisions.save(saved)
    assert decisions.load([one, two, empty]) == {one: saved[:2], two: saved[2:], empty: []}


def test_a_row_says_everything_that_a_reader_needs(decisions: Decisions, settings: Settings) -> None:
    stream = uuid4()
    position = decisions.save([disabled(stream, 1)])
    found = rows(
        settings,
        "SELECT position, tenant, topic, type, version, event_id, state_topic, state FROM record.decisions",
    )
    assert found == [
        (
            *(position, "acme", "settings", "inbox.disabled", 1, uuid5(stream, "1"), "inbox.disabled.v1"),
            f'{{"type":"inbox.disabled","version":1,"inbox_id":"{stream}"}}'.encode(),
        )
    ]


def test_positions_follow_the_order_of_the_save_and_times_never_go_back(
    decisions: Decisions, settings: Settings
) -> None:
    streams = [uuid4() for _ in range(200)]
    decisions.save([disabled(stream, 1) for stream in streams])
    decisions.save([disabled(stream, 2) for stream in reversed(streams)])
    found = rows(settings, "SELECT originator_id, recorded_at FROM record.decisions ORDER BY position")
    assert [stream for stream, _ in found] == [*streams, *reversed(streams)]
    times = [at for _, at in found]
    assert times == sorted(times)  # type: ignore[type-var]
    assert times[199] < times[200]  # type: ignore[operator]


def test_the_same_version_twice_is_a_conflict_and_saves_nothing(decisions: Decisions, settings: Settings) -> None:
    stream, other = uuid4(), uuid4()
    decisions.save([disabled(stream, 1)])
    with pytest.raises(Conflict):
        decisions.save([disabled(other, 1), disabled(stream, 1)])
    assert rows(settings, "SELECT count(*) FROM record.decisions") == [(1,)]
    decisions.save([disabled(stream, 2)])


def test_a_repeated_command_is_answered_with_the_first_position(decisions: Decisions) -> None:
    stream, command = uuid4(), Command("acme", uuid4())
    position = decisions.save([disabled(stream, 1), disabled(stream, 2)], command=command)
    with pytest.raises(AlreadyDone) as repeated:
        decisions.save([disabled(stream, 3)], command=command)
    assert repeated.value.position == position
    assert len(decisions.load([stream])[stream]) == 2


def test_a_command_id_belongs_to_its_tenant(decisions: Decisions) -> None:
    command_id = uuid4()
    decisions.save([disabled(uuid4(), 1)], command=Command("acme", command_id))
    decisions.save([disabled(uuid4(), 1)], command=Command("other", command_id))


def test_a_rival_with_the_same_command_is_told_that_it_is_done(decisions: Decisions) -> None:
    stream, command = uuid4(), Command("acme", uuid4())
    first: list[int | None] = []

    def rival(_: object) -> None:
        # It passes the check of command ids, then someone else commits the same command.
        if not first:
            first.append(decisions.save([disabled(stream, 1)], command=command))

    with pytest.raises(AlreadyDone) as repeated:
        decisions.save([disabled(stream, 1)], command=command, within=rival)
    assert [repeated.value.position] == first


def test_an_old_epoch_is_fenced(decisions: Decisions, settings: Settings) -> None:
    stream = uuid4()
    with psycopg.connect(settings.record_url) as connection:
        connection.execute("INSERT INTO service.leases VALUES ('routing', 'me', 7, now() + interval '3 s')")
    decisions.save([disabled(stream, 1)], lease=Lease("routing", 7))
    for gone in (Lease("routing", 6), Lease("cases", 7)):
        with pytest.raises(Fenced):
            decisions.save([disabled(stream, 2)], lease=gone)
    assert len(decisions.load([stream])[stream]) == 1


def test_what_runs_within_is_saved_or_lost_with_the_decisions(decisions: Decisions, settings: Settings) -> None:
    stream = uuid4()

    def moved(cursor: psycopg.Cursor[dict[str, object]]) -> None:
        cursor.execute("INSERT INTO service.leases VALUES ('moved', 'me', 1, now())")

    decisions.save([disabled(stream, 1)], within=moved)
    with pytest.raises(psycopg.errors.UniqueViolation):
        decisions.save([disabled(stream, 2)], within=moved)
    decisions.save([], within=lambda cursor: cursor.execute("DELETE FROM service.leases") and None)
    with pytest.raises(Conflict):
        decisions.save([disabled(stream, 1)], within=moved)
    assert rows(settings, "SELECT count(*) FROM service.leases") == [(0,)]


def test_writers_in_parallel_commit_in_the_order_of_positions(decisions: Decisions, settings: Settings) -> None:
    stop = threading.Event()
    seen: list[int] = []

    def tail() -> None:
        with psycopg.connect(settings.record_url, autocommit=True) as connection:
            query = "SELECT position FROM record.decisions WHERE position > %s ORDER BY position"
            while not stop.is_set():
                seen.extend(row[0] for row in connection.execute(query, (seen[-1] if seen else 0,)))

    def write() -> None:
        for _ in range(100):
            decisions.save([disabled(uuid4(), 1), disabled(uuid4(), 1)])

    reader, writers = threading.Thread(target=tail), [threading.Thread(target=write) for _ in range(4)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.wait(0.1)
    stop.set()
    reader.join()
    assert len(seen) == 800


def test_a_personal_part_cannot_be_decided(decisions: Decisions) -> None:
    fact = InteractionReceived(
        interaction_id=uuid4(), kind="message", channel="sms/twilio", personal=Content(address="tel:+989120000000")
    )
    with pytest.raises(TypeError, match="personal"):
        decisions.save([Decided(uuid4(), 1, "acme", fact)])


def test_the_librarys_database_functions_are_refused(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    monkeypatch.setenv("POSTGRES_ENABLE_DB_FUNCTIONS", "yes")
    with pytest.raises(Misconfigured):
        Decisions(settings.record_url)
