"""Several hunts at once, watched: a process that dies or is stuck is a find as well."""

import mmap
import multiprocessing
import os
import time
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import ForkProcess
from pathlib import Path
from typing import Any, Final, cast

from tests.fuzz.hunt import AT_HAND_BYTES, Hunt, Hunted, save, shown
from tests.fuzz.shrink import KEPT, keep

_SILENT_SECONDS: Final = 180.0
"""So long may a process say nothing: longer than it takes to make a request small on a busy machine."""

_PROGRESS_SECONDS: Final = 10.0
_MOST_SAVED: Final = 200


@dataclass(slots=True)
class _Runner:
    process: ForkProcess
    ear: Any
    at_hand: mmap.mmap
    last: Hunted
    heard_at: float = field(default_factory=time.monotonic)


def hunt_all(names: list[str], seconds: float, seed: int) -> list[Hunted]:
    """Each parser for `seconds`, as many at a time as there are cores."""
    waiting, running, done = list(names), list[_Runner](), list[Hunted]()
    told = time.monotonic()
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            running.append(_start(waiting.pop(0), seconds, seed))
        wait([runner.ear for runner in running], timeout=1.0)
        for runner in list(running):
            if _listen(runner):
                running.remove(runner)
                done.append(runner.last)
        if time.monotonic() > told + _PROGRESS_SECONDS:
            told = time.monotonic()
            _progress(running, seconds, len(waiting))
    return done


def saved_of(name: str) -> Path:
    """Where a hunt leaves its finds."""
    return KEPT / f"{name.replace('/', '-')}.finds"


def _start(name: str, seconds: float, seed: int) -> _Runner:
    at_hand = mmap.mmap(-1, AT_HAND_BYTES)
    ear, mouth = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_work, args=(name, seconds, seed, at_hand, mouth))
    process.start()
    mouth.close()
    return _Runner(process, ear, at_hand, Hunted(name, seed))


def _work(name: str, seconds: float, seed: int, at_hand: mmap.mmap, mouth: Any) -> None:
    hunt = Hunt(name, seed, at_hand)
    hunt.run(seconds, mouth.send)
    save(hunt.pool, name, saved_of(name), _MOST_SAVED)
    hunt.hunted.is_done = True
    mouth.send(hunt.hunted)


def _listen(runner: _Runner) -> bool:
    """Whether this one is over."""
    try:
        while runner.ear.poll():
            runner.last, runner.heard_at = cast("Hunted", runner.ear.recv()), time.monotonic()
    except EOFError:
        runner.process.join()
        if not runner.last.is_done:
            _died(runner, f"the process ended with {runner.process.exitcode}")
        return True
    if time.monotonic() > runner.heard_at + _SILENT_SECONDS:
        runner.process.kill()
        runner.process.join()
        _died(runner, f"nothing was heard from the process for {_SILENT_SECONDS:.0f} s")
        return True
    return False


def _died(runner: _Runner, fault: str) -> None:
    request = shown(runner.at_hand)
    path = "no request at hand" if request is None else str(keep(runner.last.name, request, fault, ""))
    runner.last.faults[fault] = ("the request that it had at hand, as it was", path)


def _progress(running: list[_Runner], seconds: float, waiting: int) -> None:
    told = [
        f"{runner.last.name} {runner.last.seconds:.0f} of {seconds:.0f} s, {runner.last.counted.total():,} requests, "
        f"{runner.last.lines:,} lines, {len(runner.last.faults)} faults"
        for runner in running
    ]
    print("; ".join([*told, *([f"{waiting} to come"] if waiting else [])]), flush=True)
