"""Asks for an answer in a process of its own, to be killed: `python -m tests.services.answering.process OF COMMAND`."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime
from uuid import UUID

from services.answering.answering import Draft
from services.ops.answers import answering
from services.settings import Settings, load


def start(settings: Settings, of: UUID, command_id: UUID) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "DATABASE_URL": settings.database_url,
        "TAMAS_DATA": str(settings.data),
        "TAMAS_SECRET_KEY": settings.secret_key[0].get_secret_value(),
    }
    command = [sys.executable, "-m", "tests.services.answering.process", str(of), str(command_id)]
    return subprocess.Popen(command, env=environment)


async def main(of: str, command_id: str) -> None:
    async with answering(load()) as answers:
        await answers.ask("shop", UUID(of), Draft("Soon!"), command_id=UUID(command_id), now=datetime.now(UTC))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
