"""One storm: an installation, traffic of all five kinds through its front door, blows, and what is left at the end."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.brokers import COPIES, Brokers
from tests.chaos.checks import check_calls, check_nothing_aside, check_timeline, settle
from tests.chaos.plan import WORKERS, Blow
from tests.chaos.weather import Weather
from tests.flows.doors.opened import FIVE_KINDS
from tests.flows.installation import Installation
from tests.flows.traffic import Traffic, traffic_to
from tests.flows.whole import check_whole

Say = Callable[[str], None]
_FEWEST_CUSTOMERS, _MESSAGES_EACH = 30, 20


@dataclass(frozen=True)
class Storm:
    """What is to come. `blows` in the order of their `at`."""

    seed: int
    contacts: int
    blows: Sequence[Blow]


@dataclass
class Report:
    """What came of it."""

    contacts: Counter[str]
    answers: Counter[tuple[str, int]]
    blows: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    facts: int = 0
    stormy_seconds: float = 0.0
    settled_seconds: float = 0.0


def roles_of(brokers: Brokers | None) -> list[str]:
    """Whom a blow may hit."""
    return [*WORKERS, *(["kafka"] if brokers is None else [f"broker {node_id}" for node_id in brokers.ids])]


def named(role: str) -> str:
    """What a role is known for."""
    return WORKERS.get(role, "Kafka" if role == "kafka" else f"Kafka {role}")


def on(brokers: Brokers | None) -> dict[str, str]:
    """The environment of an installation on these; on servers of its own without."""
    if brokers is None:
        return {}
    return {
        "KAFKA_BOOTSTRAP_SERVERS": brokers.bootstrap,
        "TAMAS_TOPIC_REPLICATION": str(COPIES),
        "TAMAS_TOPIC_PARTITIONS": "3",
        "TAMAS_TOPIC_PREFIX": f"chaos_{time.time_ns():x}.",
    }


def weathered(storm: Storm, folder: Path, say: Say, brokers: Brokers | None = None) -> Report:
    """All of it.

    Raises:
        AssertionError: something is lost, doubled, out of order, stuck or left over; with a sentence.
    """
    up = Installation(folder, on(brokers))
    try:
        return _through(storm, Weather(up, brokers), say)
    finally:
        up.stop()


def _through(storm: Storm, weather: Weather, say: Say) -> Report:
    up = weather.up
    customers = max(_FEWEST_CUSTOMERS, storm.contacts // _MESSAGES_EACH)
    traffic = traffic_to(up, storm.seed, storm.contacts, FIVE_KINDS, customers)
    report = Report(Counter(one.door for lane in traffic.lanes for one in lane), traffic.by_door)
    began = time.monotonic()
    with traffic.flowing(0):
        try:
            _blow(storm, traffic, weather, report, say)
            weather.until(lambda: len(traffic.accepted) == storm.contacts, "all is accepted", traffic.kept)
            weather.calm()
        finally:
            weather.let_go()
    report.stormy_seconds = time.monotonic() - began
    say(f"  all {storm.contacts} accepted after {report.stormy_seconds:.0f} s; now everything is looked at")
    settle(weather, storm.contacts)
    report.settled_seconds = time.monotonic() - began - report.stormy_seconds
    rows = check_whole(up, traffic.accepted)
    check_calls(rows, traffic.accepted)
    check_timeline(up.settings, rows, traffic.accepted)
    check_nothing_aside(up.settings)
    report.facts = len(rows)
    return report


def _blow(storm: Storm, traffic: Traffic, weather: Weather, report: Report, say: Say) -> None:
    step = storm.contacts // (len(storm.blows) + 1)
    began = time.monotonic()
    for n, blow in enumerate(storm.blows):
        # Half of what follows is on its way when the blow falls.
        traffic.let(blow.at + step // 2)
        weather.until(lambda at=blow.at: len(traffic.accepted) >= at, f"{blow.at} accepted", traffic.kept)
        weather.strike(blow)
        report.blows[blow.role, blow.way] += 1
        lasts = "" if blow.way == "SIGKILL" and not blow.role.startswith("broker") else f" for {blow.seconds} s"
        say(
            f"  {time.monotonic() - began:5.1f} s  blow {n + 1:2} of {len(storm.blows)}: "
            f"{blow.way} to {named(blow.role)}{lasts}; {len(traffic.accepted)} of {storm.contacts} accepted"
        )
    traffic.let(storm.contacts)
