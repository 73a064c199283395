"""Chats on one edge process: what an open socket holds in memory, how long acks and answers of ours take."""

from collections.abc import Sequence

from tests.bench.figures import Figure, single
from tests.bench.hand_offs import HandOffs
from tests.bench.process import resident_bytes
from tests.bench.stand import Servers, add_doors, running
from tests.bench.visitors import Talk, Visitors

_IDLE = 1000
_TALKING = 200
_RATE = 200.0
_ROUNDS = 5
_SECONDS = 5.0
_SOME = 100
_ANSWERS = 50.0
"""A second."""


def sockets(found: Servers) -> list[Figure]:
    """1,000 sockets that are silent and 200 whose visitors write once a second each, all at once."""
    settings = found.settings()
    path = add_doors(settings, "chat/widget")["chat/widget"]
    with running(settings, "ingress") as worker:
        assert worker.process is not None
        pid, url = worker.process.pid, worker.addresses["http"]
        _warm(url, path)
        before = resident_bytes(pid)
        with Visitors(url, path) as visitors:
            visitors.come(_TALKING + _IDLE)
            idle = resident_bytes(pid)
            talks = [visitors.talk(_TALKING, _RATE, _SECONDS) for _ in range(_ROUNDS + 1)][1:]
            talking = resident_bytes(pid)
            hand_offs = HandOffs(settings, visitors.names(_TALKING))
            handed_off = hand_offs.hand_off(_ANSWERS)
            shown = visitors.answered(_TALKING)
    waited = sorted(shown[text] - at for text, at in handed_off.items())
    return [*_figures(before, idle, talking, talks), *_answered(waited)]


def _answered(waited: Sequence[float]) -> list[Figure]:
    """From when its hand-off began to be saved; each is confirmed, which is recorded as a receipt."""
    about = f"chat answer on its socket at {_ANSWERS:g}/s, {_TALKING + _IDLE} sockets"
    return [
        single(f"{about}, median", [waited[len(waited) // 2] * 1000], "ms"),
        single(f"{about}, p95", [waited[len(waited) * 95 // 100] * 1000], "ms", "≤ 200"),
    ]


def _warm(url: str, path: str) -> None:
    """What the first sockets and messages cost once is not theirs."""
    with Visitors(url, path) as visitors:
        visitors.come(_SOME)
        visitors.talk(_SOME, _SOME, 1.0)


def _figures(before: int, idle: int, talking: int, talks: list[Talk]) -> list[Figure]:
    there = _TALKING + _IDLE
    about = f"chat ack at {_RATE:g} messages/s, {there} sockets"
    return [
        single(f"RSS of a socket of {there}, none has spoken", [(idle - before) / there / 1000], "kB"),
        single("RSS of the edge, none has spoken", [idle / 1e6], "MB"),
        single(f"RSS of the edge after {_TALKING} have written", [talking / 1e6], "MB"),
        single(f"{about}, median", [one.p50 * 1000 for one in talks], "ms"),
        single(f"{about}, p99", [one.p99 * 1000 for one in talks], "ms", "≤ 50"),
    ]
