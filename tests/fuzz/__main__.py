"""`python -m tests.fuzz PARSER|all SECONDS [SEED]`: parsers on broken variants of what their providers send.

SECONDS are for each parser; `all` takes as many at a time as there are cores. Nothing but sound facts, `BadSignature`
and `Malformed` may come out, within 2 s of CPU time. What breaks that is kept in build/fuzz, made small, and
`python -m tests.fuzz again FILE` shows it again. Exit codes: 0 nothing found, 1 something, 2 usage.
"""

import logging
import sys
import time
from pathlib import Path

from tests.channels.samples import SAMPLES, channel
from tests.fuzz.elsewhere import FAULT, differing
from tests.fuzz.hunt import Hunted
from tests.fuzz.judge import judge
from tests.fuzz.pack import hunt_all, saved_of
from tests.fuzz.shrink import kept

_READING_SHARE, _READING_SECONDS = 0.15, 6.0
"""So much of the time, and at most so long, is for starting and for reading the finds once more in another process."""


def main(arguments: list[str]) -> int:
    logging.disable()  # python-multipart tells of every broken part
    match arguments:
        case ["again", file]:
            return _again(Path(file))
        case [name, seconds, *seed] if name == "all" or name in SAMPLES:
            names = sorted(SAMPLES) if name == "all" else [name]
            return _hunt(names, float(seconds), int(seed[0]) if seed else time.time_ns() % 1_000_000_000)
        case _:
            listed = ", ".join(sorted(SAMPLES))
            print(f"Say which parser: make fuzz PARSER=… with all or one of {listed}", file=sys.stderr)
            return 2


def _hunt(names: list[str], seconds: float, seed: int) -> int:
    print(f"{seconds:.0f} s for each of {len(names)} parsers, seed {seed}")
    done = hunt_all(names, seconds - min(seconds * _READING_SHARE, _READING_SECONDS), seed)
    faults = sum([_told(one) for one in done])
    for file in differing([saved_of(one.name) for one in done if saved_of(one.name).exists()]):
        print(f"  FAULT: {FAULT}\n         {file}", file=sys.stderr)
        faults += 1
    return 1 if faults else 0


def _told(one: Hunted) -> int:
    total, seconds, cpu = one.counted.total(), max(one.seconds, 0.001), max(one.cpu_seconds, 0.001)
    outcomes = ", ".join(f"{count:,} {found}" for found, count in one.counted.most_common())
    speed = f"{total / seconds:,.0f}/s, {total / cpu:,.0f} in a second of CPU"
    print(f"{one.name}: {total:,} requests, {speed}, {one.lines:,} lines ({outcomes})")
    for fault, (detail, file) in one.faults.items():
        body = kept(Path(file), lambda name: SAMPLES[name].genuine[0])[1].body
        print(f"  FAULT: {fault}\n         {detail}\n         {file}: {body!r:.600}", file=sys.stderr)
    return len(one.faults)


def _again(file: Path) -> int:
    name, request = kept(file, lambda name: SAMPLES[name].genuine[0])
    verdict = judge(name, channel(name), request)
    print(f"{name}: {verdict.found} {verdict.fault or ''} {verdict.detail}\n{request}")
    return 0 if verdict.fault is None else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
