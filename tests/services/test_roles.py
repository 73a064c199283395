"""How a process ends."""

import asyncio

from services.roles import ended


async def test_a_role_that_misses_a_cancellation_is_cancelled_again() -> None:
    missed = 0

    async def deaf() -> None:
        nonlocal missed
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                missed += 1
                if missed > 1:
                    raise

    async def good() -> str:
        return "done"

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(good())]
    outcomes = await ended(tasks, 0.05)
    assert isinstance(outcomes[0], asyncio.CancelledError)
    assert (outcomes[1], missed) == ("done", 2)
