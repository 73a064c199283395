"""All five doors at once beside the peers.

The peers get the same posts: of eight, four SMS, three about calls, one a form. Ours carries chats and mails besides,
which they have no door for, and which its figures do not count.
"""

from collections import defaultdict
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from tests.bench.figures import Figure, paired, single
from tests.bench.intake import PEERS, targets_of
from tests.bench.load import Load, Outcome, Spec
from tests.bench.mail_load import MailLoad
from tests.bench.stand import Servers, Target
from tests.bench.visitors import Talk, Visitors

_ROUNDS = 5
_SECONDS = 3.0
_MOST_A_SECOND = 12_000
_RATE = 2_000
_CHATTING = 50
_FRAMES = 50.0
_MAILS = 10.0


def mix(found: Servers) -> list[Figure]:
    """Closed loop over 128 connections, then open at 2,000 posts a second in bursts of 20; each a server process."""
    fast, steady = defaultdict[str, list[Outcome]](list), defaultdict[str, list[Outcome]](list)
    talks: list[Talk] = []
    closed = Spec("", "", _SECONDS, int(_SECONDS * _MOST_A_SECOND))
    opened = Spec("", "", _SECONDS, int(_SECONDS * _RATE) + 20, rate=_RATE)
    with ExitStack() as stack:
        targets = stack.enter_context(targets_of(found))
        visitors = stack.enter_context(Visitors(targets[0].url, targets[0].chat))
        visitors.come(_CHATTING)
        for number in range(_ROUNDS + 1):
            for target in targets:
                for spec, outcomes in ((closed, fast), (opened, steady)):
                    outcome = _run(spec, target, visitors, talks)
                    if number:
                        outcomes[target.name].append(outcome)
    return [*_rates(fast), *_waits(steady), single("chat ack in the mix, p99", [one.p99 * 1000 for one in talks], "ms")]


def _run(spec: Spec, target: Target, visitors: Visitors, talks: list[Talk]) -> Outcome:
    load = Load(replace(spec, url=target.url, path=target.path, beside=target.beside))
    if not target.chat:
        return load.run()
    # The mails are written before anybody begins: a chat must not be half over when the posts come.
    with MailLoad(target.smtp, _MAILS, _SECONDS), _talking(visitors, talks):
        return load.run()


@contextmanager
def _talking(visitors: Visitors, talks: list[Talk]) -> Generator[None]:
    visitors.begin(_CHATTING, _FRAMES, _SECONDS)
    yield
    talks.append(visitors.ended())


def _rates(fast: dict[str, list[Outcome]]) -> list[Figure]:
    rates = {name: [one.rate for one in many] for name, many in fast.items()}
    about = f"posts of three doors, with {_FRAMES:g} frames/s and {_MAILS:g} mails/s"
    return [paired(about, rates["ours"], rates[name], "/s", told, goal) for name, (told, goal) in PEERS.items()]


def _waits(steady: dict[str, list[Outcome]]) -> list[Figure]:
    p99 = {name: [one.p99 * 1000 for one in many] for name, many in steady.items()}
    about = f"latency of the same at {_RATE} posts/s, p99"
    return [
        paired(about, p99["ours"], p99[name], "ms", told, "≤ 1" if name.startswith("postgres") else None)
        for name, (told, _) in PEERS.items()
    ]
