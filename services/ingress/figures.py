"""`GET /metrics` on the door that the world sees: for a tenant's operators, and without other tenants' numbers."""

import asyncio
from pathlib import Path
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from channels.contract import Answer
from services.ingress.http import Refusal, Scope
from services.ingress.tally import Tally
from services.metrics.listen import MEDIA_TYPE
from services.metrics.machine import gathered, of_tenant
from services.tenancy.tokens import Authenticator

_MOST_AT_ONCE: Final = 4


class Figures:
    """The processes of this machine, read for each scrape."""

    def __init__(self, data: Path, authenticator: Authenticator, tally: Tally) -> None:
        """`data` is where the processes of this machine meet."""
        self._data: Final = data
        self._authenticator: Final = authenticator
        self._turns: Final = asyncio.Lock()
        self._asking = 0
        self.tally: Final = tally

    async def answer(self, scope: Scope) -> Answer:
        """The page. Never by where a request comes from: behind a proxy everybody is on the loopback.

        Raises:
            Refusal: 401 without a token, 403 with another role's, 429 when others ask already, 503 while tokens cannot
                be looked up.
        """
        if self._asking >= _MOST_AT_ONCE:
            raise Refusal(429, "too_many_requests", "Others are asking for the numbers already.")
        self._asking += 1
        try:
            # One at a time: whoever asks with a guessed token must not take intake's connections to the database.
            async with self._turns:
                return await self._answer(scope)
        finally:
            self._asking -= 1

    async def _answer(self, scope: Scope) -> Answer:
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        scheme, _, secret = given.decode("latin-1").partition(" ")
        try:
            token = await self._authenticator.authenticate(secret.strip()) if scheme.lower() == "bearer" else None
        except (psycopg.OperationalError, PoolTimeout) as error:
            raise Refusal(503, "away", "Tokens cannot be looked up: scrape TAMAS_METRICS_LISTEN instead.") from error
        if token is None:
            raise Refusal(401, "unauthorized", "Send an operator's token: Authorization: Bearer tamas_…")
        if token.role != "operator":
            raise Refusal(403, "forbidden", f"The role {token.role} may not read numbers; it is for operators.")
        page = of_tenant(await gathered(self._data), token.tenant)
        return Answer(200, page.encode(), MEDIA_TYPE)
