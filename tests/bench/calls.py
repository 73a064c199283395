"""Calls: what is reported of them by the second, and how long a caller waits for the instructions."""

from tests.bench.figures import Figure, single
from tests.bench.load import Load, Outcome, Spec
from tests.bench.stand import Servers, add_doors, running

_ROUNDS = 5
_SECONDS = 3.0
_MOST_A_SECOND = 12_000
_POSTS = 3
_RATE = 600
_INSTRUCTIONS = "<Dial"


def calls(found: Servers) -> list[Figure]:
    """One edge. Each call is three posts: it comes in, is answered, is over. 200 calls a second for the latency."""
    settings = found.settings()
    path = add_doors(settings, "voice/twilio")["voice/twilio"]
    fast: list[float] = []
    steady: list[Outcome] = []
    with running(settings, "ingress") as worker:
        url = worker.addresses["http"]
        for number in range(_ROUNDS + 1):
            closed = Load(Spec(url, path, _SECONDS, int(_SECONDS * _MOST_A_SECOND))).run()
            most = int(_SECONDS * _RATE) + _POSTS
            spec = Spec(url, path, _SECONDS, most, rate=_RATE, burst=_POSTS, timed=_INSTRUCTIONS)
            paced = Load(spec).run()
            if number:
                fast.append(closed.rate / _POSTS)
                steady.append(paced)
    about = f"a caller's wait for TwiML at {_RATE // _POSTS} calls/s"
    return [
        single("calls, 128 connections (three posts each)", fast, "calls/s"),
        single(f"{about}, median", [one.p50 * 1000 for one in steady], "ms"),
        single(f"{about}, p99", [one.p99 * 1000 for one in steady], "ms"),
    ]
