"""Intake beside the two peers: requests a second, CPU for each, and latency at a steady rate."""

from collections import defaultdict
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from tests.bench.figures import Figure, paired, single
from tests.bench.load import Load, Outcome, Spec
from tests.bench.process import cpu_seconds, tree_cpu_seconds
from tests.bench.stand import Servers, Target, ours, peer

_ROUNDS = 5
_SECONDS = 3.0
_MOST_A_SECOND = 16_000
_RATE = 2_000
PEERS = {
    "kafka_first as written": ("(a) FastAPI + FastStream, as written", "≥ 3"),
    "kafka_first tuned": ("(a) tuned", "≥ 2.2"),
    "postgres_first as written": ("(b) FastAPI + psycopg, as written", "≥ 3"),
    "postgres_first tuned": ("(b) tuned", "≥ 2.2"),
}


def throughput(found: Servers) -> list[Figure]:
    """Closed loop over 128 connections, each a server process; CPU with PostgreSQL's counted."""
    rates, costs = defaultdict[str, list[float]](list), defaultdict[str, list[float]](list)
    with targets_of(found) as targets:
        for number in range(_ROUNDS + 1):
            for target in targets:
                load = Load(Spec(target.url, target.path, _SECONDS, int(_SECONDS * _MOST_A_SECOND)))
                before = _cpu(found, target)
                outcome = load.run()
                if number:  # the first meets every customer for the first time, and warms up
                    rates[target.name].append(outcome.rate)
                    costs[target.name].append((_cpu(found, target) - before) / outcome.accepted * 1e6)
    figures = [
        paired("accepted requests, 128 connections", rates["ours"], rates[name], "/s", told, goal)
        for name, (told, goal) in PEERS.items()
    ]
    for name, goal in (("postgres_first as written", "≤ 0.4"), ("postgres_first tuned", None)):
        told = PEERS[name][0]
        figures.append(paired("CPU an interaction, with PostgreSQL's", costs["ours"], costs[name], "µs", told, goal))
    return figures


def latency(found: Servers) -> list[Figure]:
    """Open loop: 2,000 a second in bursts of 20, from the intended start."""
    outcomes = defaultdict[str, list[Outcome]](list)
    with targets_of(found) as targets:
        for number in range(_ROUNDS + 1):
            for target in targets:
                load = Load(Spec(target.url, target.path, _SECONDS, int(_SECONDS * _RATE) + 20, rate=_RATE))
                outcome = load.run()
                if number:
                    outcomes[target.name].append(outcome)
    p99 = {name: [one.p99 * 1000 for one in many] for name, many in outcomes.items()}
    return [
        single(f"latency at {_RATE}/s in bursts of 20, median", [one.p50 * 1000 for one in outcomes["ours"]], "ms"),
        *(
            paired(f"latency at {_RATE}/s in bursts of 20, p99", p99["ours"], p99[name], "ms", told, goal)
            for name, (told, goal) in {
                "postgres_first as written": (PEERS["postgres_first as written"][0], "≤ 1"),
                "postgres_first tuned": ("(b) tuned", "≤ 1"),
                "kafka_first as written": (PEERS["kafka_first as written"][0], None),
                "kafka_first tuned": ("(a) tuned", None),
            }.items()
        ),
    ]


@contextmanager
def targets_of(found: Servers) -> Generator[list[Target]]:
    with ExitStack() as stack:
        yield [
            stack.enter_context(ours(found)),
            *(
                stack.enter_context(peer(found, kind, tuned=tuned))
                for kind in ("kafka_first", "postgres_first")
                for tuned in (False, True)
            ),
        ]


def _cpu(found: Servers, target: Target) -> float:
    return cpu_seconds(target.pid) + tree_cpu_seconds(found.postgres.pid)
