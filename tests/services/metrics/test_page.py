"""One process's page, and pages of several as one."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.metrics import machine
from services.metrics.catalogue import METRICS
from services.metrics.meters import CURRENT, Histogram, Meters, watch
from services.metrics.page import Page

_OTHER = """
import asyncio, sys
from pathlib import Path
from services.metrics.machine import told
from services.metrics.meters import Meters
from services.metrics.page import Page

async def main():
    async with told(Path(sys.argv[1]), sys.argv[2], Page(Meters(sys.argv[2]))):
        print("ready", flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def meters() -> Iterator[Meters]:
    made = Meters("edge")
    token = CURRENT.set(made)
    yield made
    CURRENT.reset(token)


def _values(page: str) -> dict[tuple[str, str], float]:
    """By name and the labels that are not the process's own."""
    return {
        (sample.name, ",".join(f"{sample.labels[key]}" for key in sorted(sample.labels.keys() - {"role", "pid"}))): (
            sample.value
        )
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def test_numbers_are_read_when_somebody_asks(meters: Meters) -> None:
    counts = {("shop", "sms/twilio", "7", "accepted"): 1.0}
    watch("tamas_intake_requests", lambda: counts)
    watch("tamas_intake_away_seconds", lambda: {(): 2.5})
    page = Page(meters)
    assert _values(page.text())["tamas_intake_requests_total", "sms/twilio,7,accepted,shop"] == 1
    counts["shop", "sms/twilio", "7", "accepted"] = 9.0
    found = _values(page.text())
    assert found["tamas_intake_requests_total", "sms/twilio,7,accepted,shop"] == 9
    assert found["tamas_intake_away_seconds", ""] == 2.5


def test_a_histogram_adds_up(meters: Meters) -> None:
    seen = Histogram((1.0, 2.0, 4.0))
    for value in (1, 1.5, 2, 9):
        seen.observe(value)
    watch("tamas_append_group_requests", lambda: {(): seen})
    found = _values(Page(meters).text())
    upto = {bound: found["tamas_append_group_requests_bucket", bound] for bound in ("1.0", "2.0", "4.0", "+Inf")}
    assert upto == {"1.0": 1, "2.0": 3, "4.0": 3, "+Inf": 4}
    assert (found["tamas_append_group_requests_sum", ""], found["tamas_append_group_requests_count", ""]) == (13.5, 4)


def test_only_what_the_catalogue_knows(meters: Meters) -> None:
    assert meters.sources == []
    with pytest.raises(KeyError, match="tamas_weather"):
        watch("tamas_weather", lambda: {(): 1})


def test_nobody_to_tell_is_no_failure() -> None:
    assert CURRENT.get() is None
    watch("tamas_intake_away_seconds", lambda: {(): 1})


def test_no_label_can_name_anybody() -> None:
    labels = {label for metric in METRICS.values() for label in metric.labels}
    assert labels == {
        "tenant", "channel", "inbox_id", "result", "reason", "projection_set", "stage", "state", "server", "pool"
    }  # fmt: skip


def test_a_tenant_sees_its_own_and_what_is_nobodys() -> None:
    page = '# TYPE a counter\na{tenant="shop"} 1\na{tenant="shops"} 2\nb{role="edge"} 3\n'
    assert machine.of_tenant(page, "shop") == '# TYPE a counter\na{tenant="shop"} 1\nb{role="edge"} 3\n'


async def test_every_process_of_a_machine_is_found(tmp_path: Path, meters: Meters) -> None:
    watch("tamas_intake_away_seconds", lambda: {(): 0})
    others = [_started(tmp_path, "edge"), _started(tmp_path, "edge"), _started(tmp_path, "core")]
    try:
        async with machine.told(tmp_path, "views", Page(meters)):
            assert (tmp_path / "metrics").stat().st_mode & 0o777 == 0o700
            assert await _up(tmp_path) == {
                ("edge", others[0].pid): 1, ("edge", others[1].pid): 1, ("core", others[2].pid): 1,
                ("views", os.getpid()): 1,
            }  # fmt: skip
            # Killed: told as not answering, until a successor takes its place.
            others[2].kill()
            others[2].wait()
            assert (await _up(tmp_path))["core", others[2].pid] == 0
            others.append(_started(tmp_path, "core"))
            found = await _up(tmp_path)
            assert ("core", others[2].pid) not in found
            assert found["core", others[3].pid] == 1
            # Stopped: it takes connections and tells nothing.
            others[0].send_signal(signal.SIGSTOP)
            assert (await _up(tmp_path))["edge", others[0].pid] == 0
            others[0].send_signal(signal.SIGCONT)
        assert ("views", os.getpid()) not in await _up(tmp_path)
    finally:
        for one in others:
            one.kill()
            one.wait()


def _started(data: Path, role: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", _OTHER, str(data), role], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


async def _up(data: Path) -> dict[tuple[str, int], float]:
    page = await machine.gathered(data)
    samples = [sample for family in text_string_to_metric_families(page) for sample in family.samples]
    return {
        (one.labels["role"], int(one.labels["pid"])): one.value for one in samples if one.name == "tamas_process_up"
    }


async def test_a_socket_that_cannot_be_made_stops_nobody(tmp_path: Path, meters: Meters) -> None:
    deep = tmp_path / ("d" * 120)
    async with machine.told(deep, "edge", Page(meters)):
        await asyncio.sleep(0)
    assert await machine.gathered(tmp_path / "nowhere") == machine.merged([machine._UP])
