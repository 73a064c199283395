"""`python -m tests.soak [INTERACTIONS]`: a day's interactions in small, through one box, as fast as it takes them.

Prints and writes `build/soak.json`. TMPDIR says where the box has its data, which is removed at the end.
"""

import asyncio
import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import structlog

from services.projector.rebuild import rebuild
from services.settings import Settings
from tests.bench import figures
from tests.bench.figures import Figure, single
from tests.flows.installation import Installation, running
from tests.flows.whole import findings
from tests.soak.box import Behind, Watch, open_doors
from tests.soak.counts import counts
from tests.soak.disk import disk, room_for
from tests.soak.memory import Memory
from tests.soak.mix import SHARES, TWENTY, Doors

_MOST_BEHIND = 4_000
"""Facts and mails: what is sent waits while so many are accepted and not yet on the timeline."""
_FACTS = 1.4
"""Of an interaction, at most on average: a call has three."""
_LOOK_SECONDS, _TELL_SECONDS = 0.25, 10.0
_DRAIN_SECONDS = 600.0
_ADDRESSES = 50
"""Interactions for each address of a kind: all addresses have written before the half is over."""


class _Senders:
    """The process that sends, and what it last told."""

    def __init__(self, doors: Doors) -> None:
        command = [sys.executable, "-m", "tests.soak.senders"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.accepted: Mapping[str, int] = {}
        self.answers: Mapping[str, int] = {}
        self.over = False
        self._tell(json.dumps(asdict(doors)))
        self._hearing = threading.Thread(target=self._hear, daemon=True)
        self._hearing.start()

    @property
    def count(self) -> int:
        return sum(self.accepted.values())

    def allow(self, twenties: int) -> None:
        # Once all is accepted it ends, and nobody reads any more.
        with suppress(BrokenPipeError):
            self._tell(str(twenties))

    def check(self) -> None:
        assert self.over or self._hearing.is_alive(), "the process that sends has ended"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._hearing.join()

    def _hear(self) -> None:
        for line in self._process.stdout or ():
            told = json.loads(line)
            self.accepted, self.answers, self.over = told["accepted"], told["answers"], told["over"]

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()


class _Run:
    """One box under load."""

    def __init__(self, up: Installation, total: int) -> None:
        self._total = total
        self._up = up
        self.doors, self.kinds = open_doors(up, total // TWENTY, max(100, total // _ADDRESSES))
        self.memory = Memory(up.endpoints["pids"], total)
        self._watch = Watch(up.settings)
        self._most_behind = 0
        self._began = self._told_at = time.monotonic()
        self._told = 0

    def send(self) -> tuple[Mapping[str, int], list[Figure]]:
        """All of it; returns what was accepted, by kind."""
        senders, allowed = _Senders(self.doors), 0
        try:
            while not senders.over:
                senders.check()
                accepted, behind = senders.count, self._watch.behind()
                self._most_behind = max(self._most_behind, behind.all)
                room = max(0, int((_MOST_BEHIND - behind.all) / _FACTS))
                allowed = max(allowed, min(self._total, accepted + room) // TWENTY)
                senders.allow(allowed)
                self.memory.look(accepted)
                self._progress(accepted, behind)
                time.sleep(_LOOK_SECONDS)
        finally:
            senders.stop()
        self._drain()
        took = time.monotonic() - self._began
        again = sum(count for answer, count in senders.answers.items() if answer not in ("200", "202", "250", "ack"))
        restarts = sum(self._up.endpoints["restarts"].values())
        return senders.accepted, [
            single("asked for and not accepted", [self._total - senders.count], "", "≤ 0"),
            single("accepted and brought to the timeline", [self._total / took], "per s"),
            single("most behind at any time", [self._most_behind], "", f"≤ {_MOST_BEHIND}"),
            single("requests that had to be sent again", [again], "", "≤ 0"),
            single("processes that had to be started again", [restarts], "", "≤ 0"),
        ]

    def _drain(self) -> None:
        deadline = time.monotonic() + _DRAIN_SECONDS
        while (behind := self._watch.behind()).all or behind.relay:
            assert time.monotonic() < deadline, f"it does not catch up: {behind}"
            time.sleep(_LOOK_SECONDS)
        self._watch.close()

    def _progress(self, accepted: int, behind: Behind) -> None:
        now = time.monotonic()
        since = now - self._told_at
        if since < _TELL_SECONDS:
            return
        rate, whole = (accepted - self._told) / since, accepted / (now - self._began)
        left = (self._total - accepted) / max(whole, 1.0)
        self._told_at, self._told = now, accepted
        print(
            f"  {accepted:>9,} of {self._total:,}  {rate:6.0f}/s  behind: parser {behind.parser}, relay {behind.relay},"
            f" projector {behind.projector}  about {left / 60:.0f} min left",
            flush=True,
        )


async def _checked(settings: Settings) -> list[Figure]:
    """The record looked through, every fact opened, and the timeline beside a rebuild."""
    wrong = [one for one in await findings(settings) if not one.ok]
    report = await rebuild(settings, "timeline")
    print(*[f"  {one.check}: {one.detail}" for one in wrong], *map(str, report.differences.items()), sep="\n")
    return [
        single("`tamas record check --all`: what is wrong", [len(wrong)], "", "≤ 0"),
        single("timeline and rebuild, compared", [int(report.compared)], "", "≥ 1"),
        single("timeline and rebuild: tables that differ", [len(report.differences)], "", "≤ 0"),
    ]


def soak(total: int, folder: Path) -> list[Figure]:
    """All of it, with the box's data in `folder`."""
    with running(folder / "box", {}) as up:
        run = _Run(up, total)
        accepted, found = run.send()
        print(*run.memory.lines(), sep="\n", flush=True)
        found += run.memory.figures()
        found += disk(up.settings, total)
        found += asyncio.run(counts(up.settings, run.kinds, accepted))
        return found + asyncio.run(_checked(up.settings))


def main(words: list[str]) -> int:
    """0 when everything holds, 1 when something does not, 2 when it cannot be begun."""
    asked = int(words[0]) if words else 1_000_000
    total = asked - asked % TWENTY
    needed, free = room_for(total, Path(gettempdir()))
    shares = ", ".join(f"{share * 100 // TWENTY} % {kind}" for kind, share in SHARES.items())
    print(
        f"{total:,} interactions ({shares}); about {needed / 1e9:.1f} GB in {gettempdir()}, {free / 1e9:.1f} are free"
    )
    if free < needed:
        print("There is too little room: name another place with TMPDIR.", file=sys.stderr)
        return 2
    # So that a run that is told to end takes the box and its data with it.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with TemporaryDirectory(prefix="tamas-soak-") as folder:
        Path(folder).chmod(0o755)
        found = soak(total, Path(folder))
    print(*map(figures.line, found), sep="\n")
    figures.write(found, Path("build/soak.json"))
    return 0 if all(figure.holds is not False for figure in found) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
