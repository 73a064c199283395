"""Desks of people who are signed in, all in one process of its own: each only hears its stream. Started by `Agents`."""

import asyncio
import gc
import json
import re
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, cast

import httpx
import uvloop

_A_SOURCE = 20
"""So many sign-ins the desk allows to one address at once; more come from other addresses of this machine."""
_AT_ONCE = 2
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_POSITION = re.compile(r'data-position="(\d+)"')
_MARK = re.compile(rb"~(\d{6})~")
_MARK_BYTES = 8
_PATIENCE_SECONDS = 60.0


def marked(number: int, text: str) -> str:
    """A text by which a desk knows the message of this number in a row."""
    return f"~{number:06}~ {text}"


class Agents:
    """They sign in when told, stay, and go at the end of the `with` block."""

    def __init__(self, url: str, most: int) -> None:
        """`url` is the desk's. Fewer than `most` messages will come."""
        command = [sys.executable, "-m", "tests.bench.agents", url, str(most)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.pid = self._process.pid
        self._most = most

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()

    def sign_in(self, number: int, logins: Sequence[str], password: str) -> None:
        """So many sessions, these people in turn; returns once each has its page and its stream."""
        self._ask(number=number, logins=logins, password=password)

    def heard(self) -> "list[array[float]]":
        """For each desk, when it had the message of each number (`time.perf_counter`); 0 when it had not."""
        with TemporaryDirectory(prefix="tamas-bench-") as folder:
            path = Path(folder, "heard")
            desks = self._ask(heard=str(path))["desks"]
            times = array("d", path.read_bytes())
        return [times[self._most * desk : self._most * (desk + 1)] for desk in range(desks)]

    def _ask(self, **what: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


class _Desk(asyncio.Protocol):
    def __init__(self, most: int, request: bytes) -> None:
        self.heard = array("d", bytes(8 * most))
        self.is_open = asyncio.Event()
        self._request = request
        self._tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        cast("asyncio.Transport", transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if not self.is_open.is_set():
            assert data.startswith(b"HTTP/1.1 200"), data
            self.is_open.set()
        for mark in _MARK.findall(self._tail + data):
            number = int(mark)
            # A row is told again when something else about it changed.
            self.heard[number] = self.heard[number] or now
        self._tail = data[1 - _MARK_BYTES :]

    def connection_lost(self, exc: Exception | None) -> None:
        raise AssertionError(f"a stream ended: {exc}")


async def _signed_in(url: str, source: str, login: str, password: str, most: int) -> _Desk:
    transport = httpx.AsyncHTTPTransport(local_address=source)
    async with httpx.AsyncClient(transport=transport, timeout=_PATIENCE_SECONDS, follow_redirects=True) as client:
        csrf = unescape(_CSRF.findall((await client.get(f"{url}/sign-in")).text)[0])
        page = await client.post(f"{url}/sign-in", data={"csrf": csrf, "login": login, "password": password})
        assert page.status_code == 200, page.text
        position, secret = _POSITION.findall(page.text)[0], client.cookies["tamas_desk"]
    host, _, port = url.removeprefix("http://").removesuffix("/desk").partition(":")
    asked = f"GET /desk/stream?after={position} HTTP/1.1\r\nHost: {host}\r\nCookie: tamas_desk={secret}\r\n\r\n"
    loop = asyncio.get_running_loop()
    _, desk = await loop.create_connection(lambda: _Desk(most, asked.encode()), host, int(port))
    await asyncio.wait_for(desk.is_open.wait(), _PATIENCE_SECONDS)
    return desk


def _write(path: str, desks: Sequence[_Desk]) -> None:
    Path(path).write_bytes(b"".join(desk.heard.tobytes() for desk in desks))


async def _serve(url: str, most: int) -> None:
    desks: list[_Desk] = []
    while line := await asyncio.to_thread(sys.stdin.readline):
        asked = json.loads(line)
        if "heard" in asked:
            _write(asked["heard"], desks)
        else:
            logins, password = asked["logins"], asked["password"]
            for first in range(0, asked["number"], _AT_ONCE):
                coming = [
                    _signed_in(url, f"127.0.0.{2 + one // _A_SOURCE}", logins[one % len(logins)], password, most)
                    for one in range(first, min(first + _AT_ONCE, asked["number"]))
                ]
                desks += await asyncio.gather(*coming)
            gc.collect()
            gc.freeze()
            gc.disable()
        print(json.dumps({"desks": len(desks)}), flush=True)


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1], int(sys.argv[2])))
