"""Customers write, agents answer, the provider has its moods, and processes are killed at moments drawn by the seed."""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.answering.message import MessageState
from services.demo.twilio import Mode
from tests.flows.answers.agents import Agents
from tests.flows.answers.checks import Sent, check_answers
from tests.flows.answers.customers import Crowd, crowd, open_doors
from tests.flows.answers.provider import Moody, standing_in
from tests.flows.installation import Installation, eventually
from tests.flows.traffic import Traffic
from tests.flows.whole import check_whole, count
from tests.providers.twilio import LOGINS, TOKEN
from tests.services.ingress.mail.postfix import Postfix, relaying

Say = Callable[[str], None]
_ONE_FOR = 50
_FEWEST_BLOWS = 4
_PATIENCE_SECONDS = 180.0
_ON_THEIR_WAY = "SELECT count(*) FROM service.messages WHERE state IN ('asked', 'due', 'started')"


@dataclass(frozen=True)
class Storm:
    """`roles` are killed in turn; `bounces`: some mails cannot be delivered."""

    seed: int
    answers: int
    roles: Sequence[str] = ("core",)
    bounces: bool = True


@dataclass
class Report:
    """What came of it."""

    ended: Counter[MessageState]
    met: Counter[Mode]
    kills: Counter[str] = field(default_factory=Counter[str])
    repeats: int = 0
    stormy_seconds: float = 0.0
    seconds: float = 0.0


def weathered(storm: Storm, folder: Path, say: Say) -> Report:
    """All of it.

    Raises:
        AssertionError: something is lost, doubled, out of order or left over; with a sentence.
    """
    people = crowd(storm.seed, storm.answers, bounces=storm.bounces)
    twilio = Moody(TOKEN, LOGINS, moods=people.moods, seed=storm.seed)
    up = Installation(folder, {"TAMAS_LMTP_LISTEN": "127.0.0.1:0"})
    try:
        with (
            relaying(int(up.endpoints["lmtp"].rpartition(":")[2])) as postfix,
            standing_in(twilio) as reports_heard,
        ):
            return _through(storm, _Scene(up, people, twilio, postfix, reports_heard), say)
    finally:
        up.stop()


@dataclass(frozen=True)
class _Scene:
    up: Installation
    people: Crowd
    twilio: Moody
    postfix: Postfix
    reports_heard: Callable[[], None]


def _through(storm: Storm, scene: _Scene, say: Say) -> Report:
    up, began = scene.up, time.monotonic()
    doors = open_doors(up, scene.twilio.base, scene.postfix.port)
    traffic, agents = Traffic(doors, scene.people.lanes, storm.seed), Agents(up)
    report = Report(Counter(), scene.twilio.met)
    with agents.at_work():
        with traffic.flowing(0):
            _blow(storm, traffic, agents, report, say)
        _wait(lambda: agents.accepted() == storm.answers, "every customer is answered")
        report.stormy_seconds = time.monotonic() - began
        say(f"  all {storm.answers} answers accepted after {report.stormy_seconds:.0f} s")
        _settle(scene)
    rows = check_whole(up, traffic.accepted)
    report.ended = check_answers(rows, agents.answers, Sent(scene.twilio, scene.postfix.kept()))
    report.repeats, report.seconds = agents.repeats, time.monotonic() - began
    say(f"  {dict(report.ended)}; the provider was {dict(report.met)}")
    return report


def _blow(storm: Storm, traffic: Traffic, agents: Agents, report: Report, say: Say) -> None:
    chance = random.Random(f"blows {storm.seed}")  # noqa: S311 - the same each time
    blows = max(_FEWEST_BLOWS, storm.answers // _ONE_FOR)
    step = storm.answers // (blows + 1)
    for n in range(blows):
        at, role = (n + 1) * step, storm.roles[n % len(storm.roles)]
        # Half of what follows is on its way when the blow falls.
        traffic.let(at + step // 2)
        _wait(lambda at=at: agents.accepted() >= at, f"{at} answers are accepted")
        time.sleep(chance.uniform(0.0, 0.5))
        agents.up.kill(role)
        report.kills[role] += 1
        say(f"  kill {n + 1:2} of {blows}: {role}; {agents.accepted()} answers accepted")
    traffic.let(storm.answers)


def _settle(scene: _Scene) -> None:
    """Nothing is on its way any more: not from us, not in the mail server, and no report or bounce to us."""
    settings, postfix = scene.up.settings, scene.postfix
    _wait(lambda: count(settings, _ON_THEIR_WAY) == 0, "all was handed over or given up")
    scene.reports_heard()
    _wait(lambda: not _queued(postfix), "the mail server has delivered or bounced all")
    _wait(lambda: count(settings, "SELECT count(*) FROM service.pending") == 0, "every bounce is read")


def _queued(postfix: Postfix) -> int:
    if postfix.waiting():
        postfix.flush()
    queues = ("maildrop", "incoming", "active", "deferred")
    return sum(path.is_file() for queue in queues for path in (postfix.folder / "queue" / queue).rglob("*"))


def _wait(told: Callable[[], bool], what: str) -> None:
    eventually(told, what, _PATIENCE_SECONDS)
