"""From a message at the door to the streams of 200 desks of one process, and to a browser's list; what it holds."""

import asyncio
import json
import shutil
import sys
import time
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.desk.users import add_user
from services.settings import Settings
from tests.bench.agents import Agents, marked
from tests.bench.door import Posted, posted
from tests.bench.figures import Figure, single
from tests.bench.process import cpu_seconds, resident_bytes
from tests.bench.screen import screen, shown
from tests.bench.stand import TENANT, Servers, add_inbox, whole
from tests.bench.traffic import message

_DESKS = 200
_PEOPLE = 20
_RATE = 50
_SECONDS = 60
_WARM_SECONDS = 10
_SCREEN_SECONDS = 20
_CUSTOMERS = 1500
"""Of a minute's messages every second opens a conversation, the others go on with one."""
_ON_A_SCREEN = 80
"""Customers while a browser looks: a list shows 100."""
_SETTLE_SECONDS = 3.0
_PASSWORD = "correct horse battery"
_TEXT = "سلام، سفارش من هنوز نرسیده است. شماره پیگیری ۸۸۲۱۴"


def desks(found: Servers) -> list[Figure]:
    """Edge, parser, core and views as `tamas up` starts them; ten sessions of each of 20 people, half read Persian."""
    settings = found.settings()
    path = add_inbox(settings)
    logins = [_person(settings, number) for number in range(_PEOPLE)]
    with whole(settings) as pids:
        desk = json.loads((settings.data / "endpoints.json").read_bytes())["desk"]
        run = _Run(f"http://{settings.http_listen}", path, pids["views"])
        most = (_WARM_SECONDS + _SCREEN_SECONDS + _SECONDS) * _RATE
        with Agents(desk, most) as agents:
            empty = resident_bytes(run.views)
            agents.sign_in(_DESKS, logins, _PASSWORD)
            run.send(_WARM_SECONDS, _ON_A_SCREEN)
            on_screen = asyncio.run(_on_screen(run, desk, logins[0])) if _has_browser() else []
            open_desks, cpu, client = resident_bytes(run.views), cpu_seconds(run.views), cpu_seconds(agents.pid)
            began = len(run.posts)
            run.send(_SECONDS, _CUSTOMERS)
            after = resident_bytes(run.views)
            shares = [
                (cpu_seconds(pid) - before) / _SECONDS for pid, before in ((run.views, cpu), (agents.pid, client))
            ]
            heard = agents.heard()
    return [
        *_on_streams(run.posts, heard, began),
        *_waits(f"event → row on a screen at {_RATE}/s, {_DESKS} desks", on_screen, "≤ 200"),
        single("RSS of the process of read models and desk, nobody there", [empty / 1e6], "MB"),
        single(f"RSS with {_DESKS} desks", [open_desks / 1e6], "MB"),
        single(f"RSS after {_SECONDS} s of {_RATE}/s more", [after / 1e6], "MB"),
        single(f"CPU of it with {_DESKS} desks at {_RATE}/s", [shares[0] * 100], "% of one"),
        single("CPU of what hears the streams in this bench", [shares[1] * 100], "% of one"),
    ]


def _person(settings: Settings, number: int) -> str:
    login, language = f"agent{number}", "fa" if number % 2 else "en"
    add_user(settings.record_url, TENANT, login, f"Agent {number}", _PASSWORD, language=language)
    return login


def _has_browser() -> bool:
    has = shutil.which("chromium") is not None
    if not has:
        print("NOT RUN: the screen; chromium is not installed (Debian: apt-get install chromium)", file=sys.stderr)
    return has


@dataclass
class _Run:
    """`posts` by the number that is in the message's text."""

    url: str
    path: str
    views: int
    posts: list[Posted] = field(default_factory=list[Posted])

    def send(self, seconds: int, customers: int) -> None:
        asyncio.run(self.sent(seconds, customers))

    async def sent(self, seconds: int, customers: int) -> None:
        """Steadily; returns when all that follows should be over, too."""
        first = len(self.posts)
        requests = [
            message(self.url, self.path, f"+98937{number % customers:07}", text=marked(number, _TEXT))
            for number in range(first, first + seconds * _RATE)
        ]
        self.posts += await posted(self.url, requests, _RATE)
        await asyncio.sleep(_SETTLE_SECONDS)


async def _on_screen(run: _Run, desk: str, login: str) -> list[float]:
    first = len(run.posts)
    async with screen(desk, login, _PASSWORD) as page:
        await run.sent(_SCREEN_SECONDS, _ON_A_SCREEN)
        found, ended = await shown(page), time.perf_counter()
    return sorted(found.get(number, ended) - run.posts[number].accepted_at for number in range(first, len(run.posts)))


def _on_streams(posts: Sequence[Posted], heard: Sequence["array[float]"], began: int) -> list[Figure]:
    numbers = range(began, len(posts))
    missing, ended = sum(not desk[number] for desk in heard for number in numbers), time.perf_counter()
    about = f"of {_DESKS} desks at {_RATE}/s"

    def waited(since: Callable[[Posted], float]) -> list[float]:
        # What never came has waited until now, at least.
        return sorted((desk[number] or ended) - since(posts[number]) for desk in heard for number in numbers)

    return [
        *_waits(f"event → stream {about}", waited(lambda post: post.accepted_at), "≤ 200"),
        *_waits(f"post sent → stream {about}", waited(lambda post: post.sent_at), None),
        single(f"rows that never came {about}", [missing], "rows", "≤ 0"),
    ]


def _waits(about: str, waited: Sequence[float], goal: str | None) -> list[Figure]:
    shares = {"median": 50, "p95": 95, "p99": 99}
    return [
        single(f"{about}, {name}", [waited[len(waited) * share // 100] * 1000], "ms", goal if name == "p95" else None)
        for name, share in shares.items()
        if waited
    ]
