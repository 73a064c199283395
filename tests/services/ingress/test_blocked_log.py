"""An edge in its own process, whose stderr is a full pipe that nobody reads."""

import asyncio
import os
import sys
from dataclasses import replace

import httpx

from services.settings import Settings
from tests.gateway import gateway
from tests.pipes import full_pipe
from tests.services.ingress.edge import running_edge
from tests.services.ingress.test_away import Shop


async def test_a_log_that_nobody_reads_keeps_no_request_waiting(settings: Settings) -> None:
    with full_pipe() as here:
        async with gateway(settings) as (gate, through):
            async with running_edge(through, with_parser=False) as made:
                pass
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "services", "run", "ingress"),
                env=os.environ | _environment(through),
                stdout=asyncio.subprocess.PIPE,
                stderr=here,
            )
            assert process.stdout is not None
            http = (await process.stdout.readline()).decode().split("http=")[1].split()[0]
            async with httpx.AsyncClient(base_url=http, timeout=12) as web:
                shop = Shop(replace(made, http=http), web, gate, settings)
                answers = [await shop.post(1)]
                gate.close()
                answers += [await shop.post(number) for number in range(2, 30)]
                assert {answer.status_code for answer in answers} == {200}
                await gate.open()
                await shop.drained()
                assert shop.recorded() == [answer.headers["tamas-event-ids"] for answer in answers]
            process.terminate()
            assert await process.wait() == 0


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "TAMAS_SECRET_KEY": settings.secret_key[0].get_secret_value(),
        "TAMAS_DATA": str(settings.data),
        "TAMAS_HTTP_LISTEN": "127.0.0.1:0",
        "TAMAS_SMTP_LISTEN": "127.0.0.1:0",
        "TAMAS_LOG_LEVEL": "debug",
    }
