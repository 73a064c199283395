"""Connections to PostgreSQL: one way to open a pool, and the sentences for when it is away."""

from collections.abc import Awaitable, Callable

from psycopg import AsyncConnection, sql
from psycopg_pool import AsyncConnectionPool

from services.metrics.meters import watch_pool


def pool(
    url: str, *, size: int = 4, role: str | None = None, options: str = "", name: str = "tamas"
) -> AsyncConnectionPool:
    """A pool in autocommit, not yet open. `role` is taken on each connection (SET ROLE); a dead one is replaced."""
    made: AsyncConnectionPool = AsyncConnectionPool(
        url,
        min_size=1,
        max_size=size,
        open=False,
        kwargs={"autocommit": True, "application_name": name, "options": options, "connect_timeout": 5},
        configure=None if role is None else _role_taker(role),
        check=AsyncConnectionPool.check_connection,
        reconnect_timeout=0,
        timeout=5,
        name=name,
    )
    watch_pool(made)
    return made


def _role_taker(role: str) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def take(connection: AsyncConnection) -> None:
        await connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))

    return take
