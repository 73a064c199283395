from collections.abc import AsyncIterator

import pytest

from services.settings import Settings
from tests.services.answering.shop import Shop, shopping


@pytest.fixture
async def shop(settings: Settings) -> AsyncIterator[Shop]:
    async with shopping(settings) as running:
        yield running
