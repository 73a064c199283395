"""Which member of its group this process is: the lowest number that no living process has. A restart gets it back."""

from typing import Final

from psycopg import AsyncConnection

_MEMBERS: Final = 0x7461_6D02
_MOST: Final = 1000


class Member:
    """Held by a session of PostgreSQL: it ends with the process, also when that is killed."""

    def __init__(self, connection: AsyncConnection, name: str) -> None:
        """Use `Member.take`."""
        self._connection: Final = connection
        self.name: Final = name

    @classmethod
    async def take(cls, url: str, projection_set: str) -> "Member":
        """The first free number of this set.

        Raises:
            psycopg.OperationalError: PostgreSQL is away.
        """
        connection = await AsyncConnection.connect(
            url, autocommit=True, connect_timeout=5, application_name=f"tamas-{projection_set}-member"
        )
        for number in range(_MOST):
            cursor = await connection.execute(
                "SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_MEMBERS, f"{projection_set}/{number}")
            )
            row = await cursor.fetchone()
            if row is not None and row[0]:
                return cls(connection, f"tamas-{projection_set}-{number}")
        raise RuntimeError(f"there are {_MOST} projectors of the set {projection_set} already")

    async def check(self) -> None:
        """See that the number is still ours.

        Raises:
            psycopg.OperationalError: the session ended.
        """
        await self._connection.execute("SELECT 1")

    async def release(self) -> None:
        """Let another process have the number."""
        await self._connection.close()
