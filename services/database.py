"""Connections to PostgreSQL: one way to open a pool, and clients that a silent server cannot keep waiting."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Final

import psycopg
from psycopg import AsyncConnection, sql, waiting
from psycopg.abc import RV, PQGen
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from services.metrics.meters import watch_pool

_TIMEOUT_SECONDS: Final = 5.0
_TURN_SECONDS: Final = 0.5


def patient(seconds: float) -> type[AsyncConnection]:
    """Connections that are cut when the server says nothing for so long.

    `statement_timeout` is the server's own, and a frozen server keeps none. What was asked may be done all the same.
    """

    class Patient(AsyncConnection):
        async def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:  # noqa: ASYNC109 - psycopg's
            """As psycopg's. Who is cancelled leaves at once: asking the server to stop would wait for it too."""
            cutting = asyncio.get_running_loop().call_later(seconds, _cut, self)
            try:
                return await waiting.wait_async(gen, self.pgconn.socket, interval=interval, timeout=timeout)
            except asyncio.CancelledError:
                self.pgconn.finish()
                raise
            finally:
                cutting.cancel()

    return Patient


def _cut(connection: AsyncConnection) -> None:
    """Whoever waits on it sees its end, and nothing is freed under them."""
    with socket.socket(fileno=os.dup(connection.pgconn.socket)) as ours:
        ours.shutdown(socket.SHUT_RDWR)


class Pool(AsyncConnectionPool):
    """Gives only connections that answer: after a restart of the server the first request has one already."""

    _is_led = False

    async def getconn(self, timeout: float | None = None) -> AsyncConnection:  # noqa: ASYNC109 - the pool's
        """As the pool's.

        What the server's absence left here is thrown away without a pause, and connecting is tried while there is time.
        """
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        cancelled = _cancellations()
        while True:
            connection = await self._next(deadline)
            try:
                _hear(cancelled)
                await self.check_connection(connection)
            except psycopg.Error:
                await self.putconn(connection)
            except BaseException:
                await self.putconn(connection)
                raise
            else:
                return connection

    async def _next(self, deadline: float) -> AsyncConnection:
        # One of those who wait asks for a new connection, again and again; a server that starts is not stormed by all.
        if self._is_led:
            return await super().getconn(max(0.0, deadline - time.monotonic()))
        self._is_led = True
        try:
            while (left := deadline - time.monotonic()) > _TURN_SECONDS:
                with contextlib.suppress(PoolTimeout):
                    return await super().getconn(_TURN_SECONDS)
            return await super().getconn(max(0.0, left))
        finally:
            self._is_led = False


def _hear(before: int) -> None:
    # Who is cancelled at the moment of being served would never learn of it (wait_for of Python 3.11).
    if _cancellations() > before:
        raise asyncio.CancelledError


def _cancellations() -> int:
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


def pool(
    url: str,
    *,
    size: int = 4,
    role: str | None = None,
    options: str = "",
    name: str = "tamas",
    patience_seconds: float | None = None,
) -> AsyncConnectionPool:
    """A pool in autocommit, not yet open. `role` is taken on each connection (SET ROLE); a dead one is replaced.

    `patience_seconds`: see `patient`; it must be more than the longest statement takes.
    """
    timeout = min(_TIMEOUT_SECONDS, patience_seconds or _TIMEOUT_SECONDS)
    made: AsyncConnectionPool = Pool(
        url,
        connection_class=AsyncConnection if patience_seconds is None else patient(patience_seconds),
        min_size=1,
        max_size=size,
        open=False,
        kwargs={"autocommit": True, "application_name": name, "options": options, "connect_timeout": int(timeout)},
        configure=None if role is None else _role_taker(role),
        reconnect_timeout=0,
        timeout=timeout,
        name=name,
    )
    watch_pool(made)
    return made


def _role_taker(role: str) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def take(connection: AsyncConnection) -> None:
        await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))

    return take
