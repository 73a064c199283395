"""`tamas timeline`, `tail`, `status`, `rebuild`, `wait`: on a running installation, with and without its API."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import UUID

import psycopg
import pytest

from channels.contract import Origin
from schemas.reference import reference
from services.embedded.process import free_port
from services.settings import Settings
from tests.channels.voice.requests import CHANNEL as CALLS
from tests.channels.voice.requests import taken_call
from tests.services.api.house import ALI, NATURAL_NAME, House, receipt, with_file
from tests.services.api.server import running
from tests.services.ops.cli import Tamas

LONG = "سلام، فاکتور من کجاست؟ " * 10


@dataclass(frozen=True, slots=True)
class Place:
    """The command on the database, and the same with a token for the API."""

    near: Tamas
    far: Tamas
    house: House


async def _prepare(house: House) -> None:
    await house.say("Where is\nmy parcel?\x1b[2J", LONG)
    await house.hear([with_file("shop", "SM9", "x.txt", b"x", "text/plain")])
    await house.hear([receipt("shop", "OUT", "delivered")])
    for request in taken_call():
        await house.hear(CALLS.parse(replace(request, origin=Origin("shop", NATURAL_NAME))))
    await house.say("theirs", tenant="rival")
    await house.caught_up()


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    with running(settings, _prepare) as (url, house, _):
        token = house.secrets["shop"]["agent"]
        near = Tamas(settings, TAMAS_TENANT="shop", TAMAS_API_URL=url, TAMAS_TOPIC_PARTITIONS="3")
        near.environment["TAMAS_API_TOKEN"] = None
        yield Place(near, Tamas(None, TAMAS_API_TOKEN=token, TAMAS_API_URL=url), house)


def test_the_timeline_is_the_same_from_both(place: Place) -> None:
    rows = place.near("timeline", ALI, "--json").rows()
    assert rows == place.far("timeline", "0912 123 4567", "--json").rows()
    assert {LONG, "Where is\nmy parcel?\x1b[2J"} < {row["text"] for row in rows}
    assert len(place.near("timeline", ALI, "--limit", 2, "--json").rows()) == 2
    since = ("--since", "2026-11-20T12:01:00Z")
    assert len(place.near("timeline", ALI, *since, "--json").rows()) == 1
    assert len(place.far("timeline", ALI, *since, "--json").rows()) == 1


def test_the_timeline_for_people(place: Place) -> None:
    done = place.near("timeline", ALI)
    lines = [line.rstrip() for line in done.out.splitlines()]
    assert done.code == 0
    assert "\x1b" not in done.out
    assert any("Where is my parcel?" in line for line in lines)
    assert any("سلام، فاکتور من کجاست؟" in line and "…" in line for line in lines)
    assert any("[+1]" in line for line in lines)
    assert any("call completed, 0:53 [+1]" in line for line in lines)
    assert any(line.endswith("delivered") for line in lines)


def test_nobody_is_an_empty_timeline(place: Place) -> None:
    for tamas in (place.near, place.far):
        done = tamas("timeline", "tel:+989120000000", "--json")
        assert (done.code, done.out) == (0, "")
        assert "Nothing is known" in done.err


def test_a_token_that_is_none(place: Place) -> None:
    place.far.environment["TAMAS_API_TOKEN"] = "tamas_wrong"
    done = place.far("timeline", ALI)
    assert (done.code, done.out) == (77, "")
    assert "token" in done.err
    # Empty is as good as unset: then it is the database's turn, and none is known here.
    place.far.environment["TAMAS_API_TOKEN"] = ""
    assert place.far("timeline", ALI).code == 78


def test_an_api_that_is_away(place: Place) -> None:
    place.far.environment["TAMAS_API_URL"] = f"http://127.0.0.1:{free_port()}"
    assert place.far("timeline", ALI).code == 69
    assert place.far("wait", "--timeout", "0.3").code == 69


def test_ready(place: Place) -> None:
    done = place.near("wait", "--timeout", "5")
    assert (done.code, done.out) == (0, "")
    assert "is ready" in done.err


def test_tail_begins_where_it_is_told(place: Place) -> None:
    every = place.near("tail", "interactions", "--from", "beginning", "-n", 4, "--json").rows()
    assert [row["position"] for row in every] == sorted((row["position"] for row in every), key=int)
    third = every[2]["position"]
    assert place.near("tail", "interactions", "--from", third, "-n", 2, "--json").rows() == every[2:]
    later = place.near("tail", "interactions", "--from", every[1]["recordedat"], "-n", 3, "--json").rows()
    assert later == every[1:]
    (theirs,) = place.near("tail", "interactions", "--from", "beginning", "-n", 1, "--tenant", "rival", "--json").rows()
    assert theirs["tenant"] == "rival"
    assert place.near("tail", "settings", "--from", "beginning", "-n", 2).out.count("\n") == 2
    assert place.near("tail", "secrets").code == 2
    assert place.near("tail", "interactions", "--from", "yesterday").code == 2


def test_status_tells_what_does_not_keep_up(place: Place) -> None:
    done = place.near("status", "--check", "--json")
    row = done.row()
    assert (done.code, row["ok"], row["projector"]["position"]) == (0, True, row["head"])
    assert (row["pending"], row["parked"], row["relay"]["position"]) == (0, 0, None)
    with psycopg.connect(place.house.settings.record_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO service.parked (parked_id, tenant, stage, reason, parked_at) "
            "VALUES (gen_random_uuid(), 'shop', 'parse', 'why', now())"
        )
    done = place.near("status", "--check")
    assert done.code == 1
    assert "1 requests are parked" in done.err
    assert place.near("status").code == 0


def test_rebuild_compares_and_goes_on(place: Place) -> None:
    before = place.near("timeline", ALI, "--json").rows()
    row = json.loads(_process(place, "rebuild", "timeline", "--json"))
    assert (row["projection"], row["generation"], row["compared"], row["differences"]) == ("timeline", 2, True, {})
    assert place.near("timeline", ALI, "--json").rows() == before
    assert place.far("timeline", ALI, "--json").rows() == before
    assert place.near("rebuild", "weather").code == 1


def _process(place: Place, *words: str) -> str:
    """In a process of its own: what it logs must not be among its data."""
    environment = {**os.environ, **{name: value for name, value in place.near.environment.items() if value is not None}}
    command = [sys.executable, "-m", "services", *words]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=60).stdout


def test_ctrl_c_is_130(place: Place) -> None:
    environment = {**os.environ, **{name: value for name, value in place.near.environment.items() if value is not None}}
    # Python heeds SIGINT only where it is not ignored, and a shell ignores it for what it starts in the background.
    heeding = ["env", "--default-signal=INT", sys.executable]
    command = [*heeding, "-m", "services", "tail", "interactions", "--from", "beginning", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        assert json.loads(one.stdout.readline())["type"] == "tamas.interaction.received.v1"
        one.send_signal(signal.SIGINT)
        assert one.wait(20) == 130


def test_a_reference_from_the_timeline_finds_the_event(place: Place) -> None:
    row = place.near("timeline", ALI, "--json").rows()[0]
    assert row["reference"] == reference(UUID(row["event_id"]))
    assert place.near("event", row["reference"], "--json").row()["event_id"] == row["event_id"]
