"""DESIGN's crash point restore, failover: it refuses to run until it is adopted, then every fact is seen once."""

from pathlib import Path

import psycopg

from services.ops.exits import CONFIGURATION
from services.record.identity import EPOCH_POSITIONS
from tests.flows.clusters import cluster, dump, new_database, on_servers, restore
from tests.flows.installation import Installation, eventually, running
from tests.flows.traffic import traffic_again, traffic_to, written_by
from tests.flows.whole import check_whole, on_record

COUNT = 250
"""Before, and again after."""


def test_restore(postgres_url: str, kafka_bootstrap: str, folder: Path) -> None:
    environment = on_servers(kafka_bootstrap, DATABASE_URL=new_database(postgres_url))
    with running(folder / "data", environment) as up:
        before = traffic_to(up, 31, COUNT)
        with before.flowing():
            pass
        old = check_whole(up, before.accepted)
    dump(environment["DATABASE_URL"], folder)
    with cluster(folder / "cluster") as url:
        restore(url, folder)
        moved = environment | {"DATABASE_URL": url}
        refused = Installation.command(moved, "up", "--http", "127.0.0.1:0", "--data", str(folder / "data"))
        assert (refused.returncode, "tamas record adopt" in refused.stderr) == (CONFIGURATION, True)
        adopted = Installation.command(moved, "record", "adopt", "--json")
        assert adopted.returncode == 0, adopted.stderr
        with running(folder / "data", moved) as up:
            # Providers send again what they sent before; customers write on.
            after = traffic_again(up, before, [*before.lanes, *written_by(32, COUNT, ("sms", "form", "mail"))])
            with after.flowing():
                pass
            assert after.duplicates > COUNT / 2
            rows = check_whole(up, after.accepted)
    assert [row.position for row in rows[: len(old)]] == [row.position for row in old]
    assert {row.position // EPOCH_POSITIONS for row in rows[len(old) :]} == {1}


def test_failover_under_running_processes(up: Installation) -> None:
    traffic = traffic_to(up, 33, 2 * COUNT)
    settings = up.settings
    with traffic.flowing(COUNT):
        traffic.wait_for(COUNT)
        eventually(lambda: on_record(settings) == COUNT, "mails are read")
        workers = {role: up.pid(role) for role in ("edge", "parser", "core", "views")}
        with psycopg.connect(settings.record_url, autocommit=True) as connection:
            # A server that was promoted writes another timeline, and knows no connection of the one before it.
            connection.execute("UPDATE record.identity SET timeline = timeline - 1")
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'tamas%'"
            )
        traffic.let(2 * COUNT)
        for role, pid in workers.items():
            up.replaced(role, pid)
        assert "tamas record adopt" in (up.data / "logs" / "edge.log").read_text("utf-8")
        assert on_record(settings) == COUNT, "somebody wrote before it was adopted"
        assert up.run("record", "adopt").returncode == 0
    rows = check_whole(up, traffic.accepted)
    assert {row.position // EPOCH_POSITIONS for row in rows} == {0, 1}
