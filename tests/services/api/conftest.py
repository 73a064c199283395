from collections.abc import AsyncIterator

import pytest

from services.settings import Settings
from tests.services.api.house import House, opened


@pytest.fixture
async def house(settings: Settings) -> AsyncIterator[House]:
    async with opened(settings) as running:
        yield running
