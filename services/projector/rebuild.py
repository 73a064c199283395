"""Fills a read model anew from the record, beside the one that serves; compares, switches in one transaction, drops."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import psycopg
import structlog
from psycopg import AsyncConnection, IsolationLevel
from psycopg_pool import AsyncConnectionPool

from projections.contract import Projection
from projections.generation import digest
from projections.registry import SETS
from services import database
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.log_reader import Recorded
from services.projector import generations
from services.projector.batch import Gap
from services.projector.fold import Fold
from services.projector.generations import Generation
from services.projector.positions import At, Place, ensure, load
from services.record.reader import Reader, Row
from services.settings import Settings

Progress: TypeAlias = Callable[[int, int], None]
"""Told `(position reached, position to reach)` while it fills."""

_PAGE: Final = 5000
_NEAR: Final = 5000
_GRACE_SECONDS: Final = 2.0
_log: Final = structlog.get_logger()


class AlreadyFilling(Exception):
    """Another process fills this read model: wait for it."""


class Interrupted(Exception):
    """Told to stop before it was full: the next start begins again."""


class UnknownReadModel(Exception):
    """There is no read model of this name."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a rebuild did. `differences`: per table (rows, checksum) of the old and of the new, at the same position.

    `compared` is False when there was none to compare with: the first fill, or a new version with other tables.
    """

    name: str
    generation: int
    position: int
    events: int
    compared: bool
    differences: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = field(
        default_factory=dict[str, tuple[tuple[int, int], tuple[int, int]]]
    )


async def rebuild(settings: Settings, name: str, *, progress: Progress = lambda _reached, _end: None) -> Report:
    """Fill the read model `name` anew and let it serve; the projector goes on meanwhile.

    The new one serves also where it differs: it was made from the record. The differences are reported.

    Raises:
        UnknownReadModel, AlreadyFilling: see there.
        Broken: a bug of ours on a valid event, or an event of a newer Tamas: nothing is switched.
    """
    found = [(key, one) for key, projections in SETS.items() for one in projections if one.name == name]
    if not found:
        names = ", ".join(sorted(one.name for projections in SETS.values() for one in projections))
        raise UnknownReadModel(f"there is no read model {name}; there are: {names}")
    ((projection_set, projection),) = found
    options = "-c TimeZone=UTC"
    views = database.pool(
        settings.views_url, size=3, options=f"{options} -c synchronous_commit=off", name="tamas-rebuild"
    )
    record = database.pool(
        settings.record_url, size=2, role="tamas_relay", options=options, name="tamas-rebuild-record"
    )
    keys = database.pool(settings.keys_url, size=1, name="tamas-rebuild-keys")
    try:
        for pool in (views, record, keys):
            await pool.open()
        reader = Reader(record, Ring(keys, Vault(settings.secrets())))
        return await Filling(
            settings, views, reader, projection_set, projection, stop=asyncio.Event(), progress=progress
        ).run()
    finally:
        for pool in (views, record, keys):
            await pool.close()


async def fill_new_version(filling: "Filling") -> None:
    """What a projector does about a version that is not live yet; returns once it is, whoever filled it."""
    while not await filling.is_served():
        try:
            await filling.run()
        except AlreadyFilling:
            await asyncio.sleep(_GRACE_SECONDS)
        except Interrupted:
            return


class Filling:
    """One read model on its way to a new generation."""

    def __init__(
        self,
        settings: Settings,
        views: AsyncConnectionPool,
        reader: Reader,
        projection_set: str,
        projection: Projection,
        *,
        stop: asyncio.Event,
        progress: Progress = lambda _reached, _end: None,
    ) -> None:
        """`views` needs two connections beside those that a projector in this process uses."""
        self._settings: Final = settings
        self._views: Final = views
        self._reader: Final = reader
        self._set: Final = projection_set
        self._projection: Final = projection
        self._stop: Final = stop
        self._progress: Final = progress
        self._events = 0

    async def is_served(self) -> bool:
        """Whether a generation of this version is live."""
        async with self._views.connection() as connection:
            return generations.serving(self._projection, await generations.live(connection)) is not None

    async def run(self) -> Report:
        """All of it.

        Raises:
            AlreadyFilling, Interrupted, Broken: see there.
        """
        async with self._alone():
            old, new, fold = await self._begin()
            _log.info("rebuild.fills", read_model=new.name, version=new.version, generation=new.number)
            await self._fill(fold)
            comparable = old is not None and old.version == new.version
            differences = await self._compare(fold, old, new) if old is not None and comparable else {}
            await self._switch(fold, new)
            _log.info("rebuild.serves", read_model=new.name, generation=new.number, differences=sorted(differences))
            if old is not None:
                await self._drop(old)
            return Report(new.name, new.number, fold.lowest, self._events, comparable, differences)

    @asynccontextmanager
    async def _alone(self) -> AsyncGenerator[None]:
        connection = await AsyncConnection.connect(self._settings.views_url, autocommit=True, connect_timeout=5)
        async with connection:
            cursor = await connection.execute(
                "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (generations.FILLS, self._projection.name)
            )
            row = await cursor.fetchone()
            if row is None or not row[0]:
                raise AlreadyFilling(f"another process is filling {self._projection.name}: wait for it to end")
            yield

    async def _begin(self) -> tuple[Generation | None, Generation, Fold]:
        async with self._views.connection() as connection, connection.transaction():
            for left in await generations.unfinished(connection, self._projection.name):
                await generations.drop(connection, left)
            new = await generations.create(connection, self._projection, state="filling")
            old = (await generations.live(connection)).get(self._projection.name)
            await connection.execute(
                "INSERT INTO views.positions (projection_set, topic, partition, position) VALUES (%s, '', 0, 0)",
                (new.schema,),
            )
            await ensure(connection, self._set, self._projection.topics, self._settings.topic_partitions)
        targets = [(self._projection, new.schema)]

        async def only_new(_connection: AsyncConnection) -> list[tuple[Projection, str]]:
            return targets

        fold = Fold(self._views, new.schema, only_new, self._stop, parks_bugs=False)
        await fold.reload()
        return old, new, fold

    async def _fill(self, fold: Fold) -> None:
        """Up to where the set is, more or less."""
        while not self._stop.is_set():
            async with self._views.connection() as connection:
                end = _lowest(await load(connection, self._set))
            if end - fold.lowest <= _NEAR:
                return
            await self._advance(fold, end)

    async def _advance(self, fold: Fold, end: int) -> None:
        """Up to `end` exactly. The next page is read while this one is written."""
        reading = asyncio.ensure_future(self._page(fold.lowest))
        try:
            while fold.lowest < end and not self._stop.is_set():
                rows = await reading
                if rows:
                    reading = asyncio.ensure_future(self._page(rows[-1].position))
                within = [row for row in rows if row.position <= end]
                upto = rows[-1].position if len(within) == len(rows) and rows else end
                try:
                    await fold.fold([Recorded(row, self._settings.topic_partitions) for row in within], upto)
                except Gap:
                    await asyncio.gather(reading, return_exceptions=True)
                    reading = asyncio.ensure_future(self._page(fold.lowest))
                    continue
                self._events += len(within)
                self._progress(fold.lowest, end)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _page(self, after: int) -> list[Row]:
        return await self._reader.read(after, _PAGE, topics=self._projection.topics)

    async def _compare(
        self, fold: Fold, old: Generation, new: Generation
    ) -> dict[str, tuple[tuple[int, int], tuple[int, int]]]:
        """Bring the new one to exactly what the old one held at one moment, and look for differences."""
        async with self._views.connection() as connection:
            await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
            try:
                async with connection.transaction():
                    at = await load(connection, self._set)
                    served = await digest(connection, old.schema)
            finally:
                await connection.set_isolation_level(None)
        await self._advance(fold, _lowest(at))
        await self._advance_unevenly(fold, at)
        async with self._views.connection() as connection:
            filled = await digest(connection, new.schema)
        return {
            table: (served.get(table, (0, 0)), rows)
            for table, rows in filled.items()
            if served.get(table, (0, 0)) != rows
        }

    async def _advance_unevenly(self, fold: Fold, at: Mapping[Place, At]) -> None:
        # Partitions are at different positions; the new generation counts as being at the lowest of them.
        after, highest = fold.lowest, max((held.position for held in at.values()), default=0)
        while after < highest and (rows := await self._page(after)):
            entries = [Recorded(row, self._settings.topic_partitions) for row in rows if row.position <= highest]
            within = [one for one in entries if one.position <= at[one.topic, one.partition].position]
            if within:
                await fold.fold(within, fold.lowest)
            after = rows[-1].position

    async def _switch(self, fold: Fold, new: Generation) -> None:
        """While the set's positions are held still, bring the last events in, and let the new generation serve."""
        async with self._views.connection() as connection, connection.transaction():
            cursor = await connection.execute(
                "SELECT position FROM views.positions WHERE projection_set = %s ORDER BY topic, partition FOR UPDATE",
                (self._set,),
            )
            highest = max((row[0] for row in await cursor.fetchall()), default=0)
            await self._advance(fold, highest)
            if self._stop.is_set():
                raise Interrupted("told to stop while filling")
            await generations.switch(connection, new)

    async def _drop(self, old: Generation) -> None:
        # Readers that looked the old one up just before the switch get time to finish.
        await asyncio.sleep(_GRACE_SECONDS)
        try:
            async with self._views.connection() as connection, connection.transaction():
                await connection.execute("SET LOCAL lock_timeout = '10s'")
                await generations.drop(connection, old)
        except psycopg.errors.LockNotAvailable:
            _log.warning("rebuild.old_left", schema=old.schema)


def _lowest(at: Mapping[Place, At]) -> int:
    return min((held.position for held in at.values()), default=0)
