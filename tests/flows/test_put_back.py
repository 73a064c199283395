"""DESIGN's crash point restore with a lost tail: `--from-kafka` puts back what the wire has and the record lost."""

import json
from pathlib import Path

import pytest

from services.ops.exits import CONFIGURATION
from services.record.identity import EPOCH_POSITIONS
from services.record.reader import Row
from services.tenancy.store import NewInbox, Tenancy
from tests.flows.clusters import cluster, dump, new_database, on_servers, restore
from tests.flows.doors.opened import ALL_DOORS, TENANT, Message
from tests.flows.installation import Installation, running
from tests.flows.traffic import Traffic, traffic_again, traffic_to, written_by
from tests.flows.whole import check_whole, check_wire_by_id

COUNT = 250
"""Before the copy, and again after it."""
MORE, AGAIN = 100, 50


@pytest.mark.parametrize("views_kept", [False, True])
def test_put_back(postgres_url: str, kafka_bootstrap: str, folder: Path, *, views_kept: bool) -> None:
    environment = on_servers(kafka_bootstrap, DATABASE_URL=new_database(postgres_url))
    if views_kept:
        # Read models in a database of their own know what the record lost.
        environment["VIEWS_URL"] = new_database(postgres_url)
    with running(folder / "data", environment) as up:
        kept = traffic_to(up, 51, COUNT)
        with kept.flowing():
            pass
        old = check_whole(up, kept.accepted)
        dump(environment["DATABASE_URL"], folder)
        # The same customers write on, new ones come, an inbox is opened; all of it is published.
        lost = traffic_again(up, kept, _written(kept))
        with lost.flowing():
            pass
        with Tenancy(up.settings) as tenancy:
            form = tenancy.add_inbox(TENANT, NewInbox("forms/web", "a later form"))
        whole = check_whole(up, [*kept.accepted, *lost.accepted])
        old, whole = _but_decided(old), _but_decided(whole)
        assert len(whole) == len(old) + COUNT + 1
    with cluster(folder / "cluster") as url:
        restore(url, folder)
        moved = environment | {"DATABASE_URL": url}
        refused = Installation.command(moved, "up", "--http", "127.0.0.1:0", "--data", str(folder / "data"))
        assert (refused.returncode, "tamas record adopt" in refused.stderr) == (CONFIGURATION, True)
        _adopt(moved, lost, str(form.inbox.inbox_id))
        with running(folder / "data", moved) as up:
            after = traffic_again(up, lost, [*written_by(53, MORE, ("sms", "form", "mail")), *_some(lost)])
            with after.flowing():
                pass
            assert after.duplicates > AGAIN / 2
            sent = {*kept.accepted, *lost.accepted, *after.accepted}
            assert len(sent) == 2 * COUNT + MORE
            rows = check_whole(up, list(sent), wire=False)
            check_wire_by_id(up.settings, rows)
    rows = _but_decided(rows)
    assert [row.event_id for row in rows[: len(whole)]] == [row.event_id for row in whole]
    assert [row.payload for row in rows[: len(whole)]] == [row.payload for row in whole]
    assert [row.position for row in rows[: len(old)]] == [row.position for row in old]
    assert {row.position // EPOCH_POSITIONS for row in rows[len(old) :]} == {1}


def _adopt(environment: dict[str, str], lost: Traffic, form: str) -> None:
    adopted = Installation.command(environment, "record", "adopt", "--from-kafka", "--json")
    assert adopted.returncode == 0, adopted.stderr
    said, *lines = [json.loads(line) for line in adopted.stdout.splitlines()]
    assert said["first_position"] == EPOCH_POSITIONS
    told = {line["topic"]: line for line in lines if "topic" in line}
    decided = told.pop("cases")
    assert (decided["put_back"], decided["left_out"]) == (0, decided["read"])
    assert {topic: (line["read"], line["put_back"], line["left_out"]) for topic, line in told.items()} == {
        "interactions": (COUNT, COUNT, 0),
        "settings": (1, 1, 0),
    }
    notes = [line["note"] for line in lines if "note" in line]
    assert any(f"tamas inbox rotate {form}" in note for note in notes)
    assert any("lost their keys" in note for note in notes)
    again = Installation.command(environment, "record", "adopt", "--from-kafka")
    assert again.returncode == 0, again.stderr
    assert f"interactions  {COUNT}  {COUNT}  0  0" in " ".join(again.stdout.split()).replace(" ", "  ")
    assert len(lost.accepted) == COUNT


def _but_decided(rows: list[Row]) -> list[Row]:
    """Which conversation each belongs to is decided again, not put back."""
    return [row for row in rows if row.topic != "cases"]


def _written(kept: Traffic) -> list[list[Message]]:
    """Half by who wrote before, and half by new ones."""
    before = set(kept.accepted)
    on = [[one for one in lane if one not in before] for lane in written_by(kept.seed, COUNT + COUNT // 2, ALL_DOORS)]
    return [lane for lane in [*on, *written_by(52, COUNT // 2, ("sms", "form", "mail"))] if lane]


def _some(lost: Traffic) -> list[list[Message]]:
    """So many of what was lost, as a provider sends it again that never got our answer."""
    chosen: list[list[Message]] = []
    for lane in lost.lanes:
        chosen.append(lane[: AGAIN - sum(map(len, chosen))])
    return [lane for lane in chosen if lane]
