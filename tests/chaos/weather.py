"""Deals the blows, and lets go on or starts again what they hit. From one thread only, as servers are started by it."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil

from tests.brokers import Brokers
from tests.chaos.plan import Blow
from tests.flows.installation import Installation

_STUCK_SECONDS = 120.0


class Stuck(AssertionError):
    """Nothing goes on any more; the sentence says what was waited for."""


@dataclass(frozen=True)
class _Recovery:
    at: float
    role: str
    act: Callable[[], None]


@dataclass
class Weather:
    """`brokers` are those that are not the installation's own; their roles are called `broker 1` and so on."""

    up: Installation
    brokers: Brokers | None = None
    _due: list[_Recovery] = field(default_factory=list[_Recovery])
    _killed: dict[str, int] = field(default_factory=dict[str, int])

    def strike(self, blow: Blow) -> None:
        """Once what is to be hit is up; returns at once after that."""
        broker = blow.role.startswith("broker ")
        self.until(lambda: self._is_whole(blow.role, broker=broker), f"{blow.role} is up")
        if broker:
            self._strike_broker(int(blow.role.removeprefix("broker ")), blow)
        elif blow.way == "SIGKILL":
            self._killed[blow.role] = self.up.signal(blow.role, signal.SIGKILL)
        else:
            self._later(blow, self.up.freeze(blow.role))

    def until(self, told: Callable[[], Any], what: str, going_on: Callable[[], Any] = lambda: None) -> None:
        """Wait until it is so, with recoveries meanwhile.

        Raises:
            Stuck: for two minutes it was not, nor did what `going_on` gives change.
        """
        deadline, before = time.monotonic() + _STUCK_SECONDS, going_on()
        while not told():
            assert self.up.is_running, f"`tamas up` ended by itself; {self.up.data / 'up.log'} says why"
            self._recover(time.monotonic())
            if (now := going_on()) != before:
                deadline, before = time.monotonic() + _STUCK_SECONDS, now
            if time.monotonic() > deadline:
                raise Stuck(f"waited {_STUCK_SECONDS:.0f} s in vain: {what}")
            time.sleep(0.02)

    def calm(self) -> None:
        """Everything is up again, and nothing frozen."""
        self._recover(float("inf"))
        for role in self._killed:
            self.until(lambda role=role: self._is_whole(role, broker=False), f"{role} is started again")

    def let_go(self) -> None:
        """Nothing is frozen; for an end in disorder."""
        with suppress(Exception):
            self._recover(float("inf"))

    def _is_whole(self, role: str, *, broker: bool) -> bool:
        """Brokers are hit in turn: another one may not be away."""
        if any(one.role == role or (broker and one.role.startswith("broker ")) for one in self._due):
            return False
        return broker or self._is_alive(self.up.endpoints["pids"].get(role, 0), role)

    def _is_alive(self, pid: int, role: str) -> bool:
        """Workers also end by themselves, where they are started while PostgreSQL is away."""
        if pid in (0, self._killed.get(role)):
            return False
        with suppress(psutil.NoSuchProcess):
            return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        return False

    def _strike_broker(self, node_id: int, blow: Blow) -> None:
        assert self.brokers is not None
        brokers = self.brokers
        if blow.way == "SIGSTOP":
            self._later(blow, brokers.freeze(node_id))
            return
        brokers.kill(node_id)

        def back() -> None:
            brokers.start_again(node_id)
            brokers.wait_back(node_id)

        self._later(blow, back)

    def _later(self, blow: Blow, act: Callable[[], None]) -> None:
        self._due.append(_Recovery(time.monotonic() + blow.seconds, blow.role, act))

    def _recover(self, now: float) -> None:
        for one in [one for one in self._due if one.at <= now]:
            self._due.remove(one)
            one.act()
