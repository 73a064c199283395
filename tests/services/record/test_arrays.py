"""What is built by hand is what PostgreSQL reads: every kind, with values and without."""

from datetime import UTC, datetime
from uuid import uuid4

import psycopg

from services.record import arrays

_UNNEST = """
    SELECT * FROM unnest(%s::uuid[], %s::text[], %s::bytea[], %s::int[], %s::bigint[], %s::smallint[], %s::boolean[],
        %s::timestamptz[])"""


def test_each_kind_comes_back_as_it_was(postgres_url: str) -> None:
    rows = [
        (uuid4(), "سلام", b"\0x", -5, 1 << 40, -2, True, datetime(2026, 11, 25, 15, 1, 2, 345_678, tzinfo=UTC)),
        (uuid4(), "", b"", 0, -1, 0, False, datetime(1999, 1, 1, tzinfo=UTC)),
        (None,) * 8,
    ]
    ids, texts, blobs, ints, bigs, smalls, booleans, times = zip(*rows, strict=True)
    given = (
        *(arrays.uuids(ids), arrays.texts(texts), arrays.blobs(blobs), arrays.ints(ints)),
        *(arrays.bigs(bigs), arrays.smalls(smalls), arrays.booleans(booleans), arrays.times(times)),
    )
    with psycopg.connect(postgres_url) as connection:
        arrays.adapt(connection)
        assert connection.execute(_UNNEST.encode(), given).fetchall() == rows
        assert connection.execute("SELECT %s::uuid[]", (arrays.uuids([]),)).fetchone() == ([],)
