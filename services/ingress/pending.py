"""Requests that wait for a parser: claimed a few at a time, begun one by one, parked if they cannot be read."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid5

from psycopg_pool import AsyncConnectionPool

_BATCH: Final = 20
_CLAIM_SECONDS: Final = 15

# A claim runs out, so that what a killed parser held is found again.
_CLAIM: Final = """
    UPDATE service.pending SET claimed_until = clock_timestamp() + make_interval(secs => %s)
    WHERE raw_id IN (SELECT raw_id FROM service.pending WHERE claimed_until < clock_timestamp()
        ORDER BY raw_id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING raw_id, day, tenant, inbox_id, claimed_until, tries"""
# Of a batch some wait long: each claim is renewed as its turn comes, and only then is it a try.
_BEGIN: Final = """
    UPDATE service.pending AS p
    SET claimed_until = clock_timestamp() + make_interval(secs => %s), tries = tries + %s
    WHERE raw_id = %s AND claimed_until = %s
    RETURNING tries, claimed_until, (SELECT sealed FROM record.raw AS r WHERE r.raw_id = p.raw_id AND r.day = p.day)"""
_PARK: Final = """
    WITH done AS (DELETE FROM service.pending WHERE raw_id = %(raw_id)s)
    INSERT INTO service.parked (parked_id, tenant, inbox_id, raw_id, day, stage, reason, parked_at)
    VALUES (%(parked_id)s, %(tenant)s, %(inbox_id)s, %(raw_id)s, %(day)s, 'parser', %(reason)s, clock_timestamp())
    ON CONFLICT (parked_id) DO UPDATE SET state = 'parked', reason = excluded.reason, parked_at = excluded.parked_at"""


@dataclass(slots=True, eq=False)
class Job:
    """One of them. `is_suspect`: a parser began it before and did not end it."""

    raw_id: UUID
    day: date
    tenant: str
    inbox_id: UUID
    claimed_until: datetime
    tries: int
    is_suspect: bool
    is_begun: bool = False


class Pending:
    """The table of a worker's own work. Nothing here has to outlive a crash of PostgreSQL: it is done again."""

    def __init__(self, pool: AsyncConnectionPool) -> None:
        """`pool` is to RECORD_URL in the role tamas_parser."""
        self._pool: Final = pool

    async def claim(self) -> list[Job]:
        """The oldest that nobody has, in their order."""
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_CLAIM, (_CLAIM_SECONDS, _BATCH))
            jobs = [Job(*row, is_suspect=row[-1] > 0) for row in await cursor.fetchall()]
        return sorted(jobs, key=lambda job: job.raw_id)

    async def begin(self, job: Job) -> tuple[bytes | None] | None:
        """Renew the claim; returns the sealed request in a tuple, None when another worker has it by now."""
        async with self._pool.connection() as connection:
            # A try that the database's absence cut short says nothing about the request.
            more = 0 if job.is_begun else 1
            cursor = await connection.execute(_BEGIN, (_CLAIM_SECONDS, more, job.raw_id, job.claimed_until))
            row = await cursor.fetchone()
        if row is None:
            return None
        job.tries, job.claimed_until, sealed = row
        job.is_begun = True
        return (sealed,)

    async def park(self, job: Job, reason: str) -> None:
        """Set it aside for an operator."""
        async with self._pool.connection() as connection:
            await connection.execute(
                _PARK,
                {
                    "parked_id": uuid5(job.raw_id, "parser"),
                    "tenant": job.tenant,
                    "inbox_id": job.inbox_id,
                    "raw_id": job.raw_id,
                    "day": job.day,
                    "reason": reason.replace("\0", ""),
                },
            )
