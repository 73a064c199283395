import pytest
from psycopg import AsyncConnection

from services.projector.positions import At, ensure, load
from services.settings import Misconfigured, Settings


async def test_a_set_begins_at_zero_and_keeps_its_number_of_partitions(settings: Settings) -> None:
    async with await AsyncConnection.connect(settings.views_url, autocommit=True) as connection:
        await ensure(connection, "views", ("interactions",), 3)
        await ensure(connection, "views", ("interactions",), 3)
        assert await load(connection, "views") == {("interactions", n): At(0) for n in range(3)}
        with pytest.raises(Misconfigured, match="set it to 3"):
            await ensure(connection, "views", ("interactions",), 12)
        assert len(await load(connection, "views")) == 3
