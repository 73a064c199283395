"""What an operator sees of a running installation: numbers of all its processes in one scrape, and `tamas status`."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import httpx
import psycopg
import pytest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from services.embedded.process import free_port
from services.metrics.catalogue import METRICS
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from services.tenancy.tokens import add_token
from tests.deploy.named import metrics
from tests.flows.doors.opened import AUTH_TOKEN, MAILBOX, NUMBER, TENANT, Doors, Message
from tests.flows.installation import Installation, eventually
from tests.flows.traffic import Traffic, _sms, traffic_to
from tests.servers import _reachable

SILENT: Final = {
    *("tamas_mailbox_gaps", "tamas_dispatch_messages", "tamas_dispatch_circuit_open"),
    "tamas_acknowledging_conversations",
}
"""Told with the first gap, with the first message of ours, and on an inbox that acknowledges."""
PORT: Final = free_port()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, Traffic]]:
    """With a port for Prometheus, after some traffic of every kind."""
    up = Installation(_reachable(tmp_path_factory, "watched"), {"TAMAS_METRICS_LISTEN": f"127.0.0.1:{PORT}"})
    try:
        traffic = traffic_to(up, 7, 60)
        with traffic.flowing():
            pass
        _misbehave(up, traffic.doors)
        yield up, traffic
    finally:
        up.stop()


def _misbehave(up: Installation, doors: Doors) -> None:
    with Tenancy(up.settings) as tenancy:
        tenancy.add_tenant(RegisterTenant("rival", "Rival"))
        theirs = tenancy.add_inbox(
            "rival", NewInbox("sms/twilio", "sms", "+982192000000", {}, {"auth_token": AUTH_TOKEN})
        )
    assert httpx.post(doors.http + doors.form_path, json={}).status_code == 422
    assert httpx.post(doors.http + doors.sms_path, content=b"Body=x").status_code == 403
    assert httpx.post(f"{doors.http}/hooks/sms/twilio/{theirs.key}", content=b"Body=x").status_code == 403
    assert httpx.post(f"{doors.http}/hooks/sms/twilio/unknown", content=b"").status_code == 404
    with httpx.Client() as client:
        # Signed, and without a sender: parked.
        _sms(client, doors, Message("sms", "tel:", 0, "nobody"))


def scraped() -> list[Sample]:
    # A process that was killed may have been the one with the port: another takes it over.
    eventually(_answers, "somebody serves numbers")
    page = httpx.get(f"http://127.0.0.1:{PORT}/metrics").raise_for_status().text
    return _samples(page)


def _samples(page: str) -> list[Sample]:
    families = list(text_string_to_metric_families(page))
    assert len({family.name for family in families}) == len(families), "a family in two parts"
    return [sample for family in families for sample in family.samples]


def test_one_scrape_sees_every_process(watched: tuple[Installation, Traffic]) -> None:
    up, _ = watched
    eventually(lambda: any(one.name == "tamas_record_position" for one in scraped()), "housekeeping has looked")
    found = scraped()
    assert {one.labels["role"]: one.labels["pid"] for one in found if one.name == "tamas_process_up" and one.value} == {
        role: str(up.pid(role)) for role in ("edge", "parser", "imap", "core", "views")
    }
    assert {one.labels["role"] for one in found if one.name == "process_resident_memory_bytes" and one.value > 1e6} == {
        "edge", "parser", "imap", "core", "views"
    }  # fmt: skip


@pytest.mark.usefixtures("watched")
def test_alarms_and_panels_name_what_is_told() -> None:
    eventually(lambda: any(one.name == "tamas_parked_requests" for one in scraped()), "what is parked is told")
    found = {one.name for one in scraped()}
    told = {re.sub(r"_(total|bucket|count|sum|created)$", "", name) for name in found if name.startswith("tamas_")}
    assert METRICS.keys() - told == SILENT
    assert {name for name in metrics() - found if name.removesuffix("_total") not in SILENT} == set()


def test_numbers_are_right(watched: tuple[Installation, Traffic]) -> None:
    _, traffic = watched
    found = scraped()

    def total(name: str, **labels: str) -> float:
        return sum(one.value for one in found if one.name == name and labels.items() <= one.labels.items())

    assert total("tamas_intake_requests_total", result="accepted", tenant=TENANT) == len(traffic.accepted)
    assert total("tamas_intake_requests_total", result="duplicate", tenant=TENANT) == traffic.duplicates + _mails_again(
        traffic
    )
    assert total("tamas_intake_requests_total", result="parked", channel="sms/twilio") == 1
    assert total("tamas_intake_refused_total", reason="signature", tenant=TENANT) == 1
    assert total("tamas_intake_refused_total", reason="signature", tenant="rival") == 1
    assert total("tamas_intake_refused_total", reason="fields") == 1
    assert total("tamas_intake_turned_away_total", reason="not_found") == 1
    assert total("tamas_append_group_requests_sum") == total("tamas_intake_requests_total")
    assert total("tamas_relay_published_total") >= len(traffic.accepted)
    assert total("tamas_projector_events_total") >= len(traffic.accepted)


def _mails_again(traffic: Traffic) -> float:
    """SMTP has no way to say that it knows a mail: those are the answers beyond the mails themselves."""
    return traffic.answers[250] - sum(one.door == "mail" for one in traffic.accepted)


def test_no_number_names_anybody(watched: tuple[Installation, Traffic]) -> None:
    _, traffic = watched
    page = httpx.get(f"http://127.0.0.1:{PORT}/metrics").text
    for secret in (NUMBER, MAILBOX, traffic.doors.sms_path, traffic.doors.form_path.rpartition("/")[2]):
        assert secret not in page
    assert not any(one.address.partition(":")[2] in page for one in traffic.accepted)


def test_the_door_of_the_world_shows_a_tenant_its_own(watched: tuple[Installation, Traffic]) -> None:
    up, traffic = watched
    url = f"{traffic.doors.http}/metrics"
    secrets = {role: add_token(up.settings.record_url, TENANT, role, role, None)[1] for role in ("operator", "agent")}

    def answer(secret: str) -> httpx.Response:
        return httpx.get(url, headers={"authorization": f"Bearer {secret}"})

    assert httpx.get(url).status_code == 401
    assert answer("tamas_wrong").status_code == 401
    assert answer(secrets["agent"]).status_code == 403
    told = answer(secrets["operator"])
    assert told.status_code == 200
    assert told.headers["content-type"].startswith("text/plain")
    assert {one.labels["tenant"] for one in _samples(told.text) if "tenant" in one.labels} == {TENANT}
    assert "rival" in {one.labels.get("tenant") for one in scraped()}


def test_status_for_machines(watched: tuple[Installation, Traffic]) -> None:
    up, _ = watched
    done = up.run("status", "--json")
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    row = json.loads(line)
    assert {one["role"] for one in row["processes"] if one["up"]} == {"edge", "parser", "imap", "core", "views"}
    assert row["servers"] == {"record": True, "views": True, "keys": True, "broker": True}
    assert {one["name"] for one in row["sets"]} == {"views", "search"}
    assert row["projector"]["position"] <= row["head"]
    by_channel = {one["channel"]: one for one in row["intake"] if one["tenant"] == TENANT}
    assert by_channel.keys() == {"sms/twilio", "email/smtp", "forms/web"}
    assert by_channel["sms/twilio"]["accepted"] > 0
    assert row["append"]["groups"] > 0
    assert 0 < row["disk"]["free_bytes"] < row["disk"]["bytes"]
    assert row["spool"] == {"waiting": 0, "set_aside": 0}
    assert row["conversations"]["undecided"] == 0
    assert row["answers"] == {"due": 0, "oldest_due_seconds": 0.0, "in_doubt": 0, "refused_inboxes": []}


def test_status_for_people(watched: tuple[Installation, Traffic]) -> None:
    up, _ = watched
    done = up.run("status")
    assert done.returncode == 0, done.stderr
    for word in ("edge", "parser", "core", "views", "sms/twilio", "relay", "disk", "broker", "parked"):
        assert word in done.stdout
    assert "1 requests are parked" in done.stderr


def test_status_names_answers_that_wait_for_a_person(watched: tuple[Installation, Traffic]) -> None:
    up, _ = watched
    with psycopg.connect(up.settings.record_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO service.messages"
            " (message_id, tenant, version, place, state, address_id, automatic, changed_at)"
            " VALUES (gen_random_uuid(), %s, 3, 1, 'in_doubt', gen_random_uuid(), false, now())",
            (TENANT,),
        )
        eventually(lambda: "Of 1 answers an agent" in up.run("status", "--check").stderr, "the doubt is told")
        connection.execute("DELETE FROM service.messages")
    eventually(lambda: "Of 1 answers" not in up.run("status", "--check").stderr, "and no longer")


def test_status_again_and_again(watched: tuple[Installation, Traffic]) -> None:
    up, _ = watched
    # Python heeds SIGINT only where it is not ignored, and a shell ignores it for what it starts in the background.
    heeding = ["env", "--default-signal=INT", sys.executable]
    command = [*heeding, "-m", "services", "status", "--watch", "--json"]
    environment = {**os.environ, "TAMAS_DATA": str(up.data)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        rows = [json.loads(following.stdout.readline()) for _ in range(2)]
        following.send_signal(signal.SIGINT)
        assert following.wait(30) == 130
    assert [row["head"] for row in rows] == [rows[0]["head"]] * 2


def test_check_names_a_process_that_does_not_answer(watched: tuple[Installation, Traffic]) -> None:
    up, _ = watched
    with up.without("parser"):
        done = up.run("status", "--check", "--json")
        assert done.returncode == 1
        assert "parser does not answer" in done.stderr
    eventually(lambda: _restarts("parser") == 1, "the restart is told")
    eventually(lambda: "parser does not" not in up.run("status", "--check").stderr, "the parser answers again")


def _restarts(role: str) -> float:
    return next(
        one.value for one in scraped() if one.name == "tamas_process_restarts_total" and one.labels["role"] == role
    )


def test_numbers_are_told_while_the_record_is_away(watched: tuple[Installation, Traffic]) -> None:
    up, traffic = watched

    def value(name: str, **labels: str) -> float | None:
        return next((one.value for one in scraped() if one.name == name and labels.items() <= one.labels.items()), None)

    with up.without("postgres"), httpx.Client(timeout=30) as client:
        assert _sms(client, traffic.doors, Message("sms", "tel:+989120000009", 0, "away"))[0] == 200, "by the spool"
        eventually(lambda: value("tamas_server_reached", server="record") == 0, "the record is told to be away")
        eventually(lambda: (value("tamas_intake_away_seconds", role="edge") or 0) > 0, "intake is told to be away")
        assert value("tamas_spool_waiting_requests") == 1
        assert up.run("status", "--check").returncode == 69
    eventually(lambda: value("tamas_server_reached", server="record") == 1, "the record is back")
    eventually(lambda: value("tamas_spool_waiting_requests") == 0, "what was spooled is on the record")
    eventually(lambda: value("tamas_intake_away_seconds", role="edge") == 0, "intake is told to be back")


def test_another_process_takes_the_port_over(watched: tuple[Installation, Traffic]) -> None:
    up, _ = watched
    for role in ("edge", "parser", "imap", "core", "views"):
        up.kill(role)
        eventually(_answers, f"somebody serves numbers after {role} was killed")


def _answers() -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{PORT}/metrics").status_code == 200
    except httpx.TransportError:
        return False
