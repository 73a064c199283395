"""Ways to answer: JSON by orjson, links to the next page, and the bounds that parameters share."""

from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Query, Response
from pydantic import AwareDatetime

BIGGEST: Final = 2**63 - 1

Limit = Annotated[int, Query(ge=1, le=200, description="Items in a page.")]
Cursor = Annotated[str | None, Query(max_length=64, description="From `next` of the page before.")]
Position = Annotated[int, Query(ge=0, le=BIGGEST)]
Time = AwareDatetime


def as_json(body: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer; times in UTC with a Z."""
    return Response(orjson.dumps(body, option=orjson.OPT_UTC_Z), status, headers, "application/json")


def next_page(path: str, query: Mapping[str, object], cursor: str) -> str:
    """The path of the next page: the same question with another cursor."""
    given = {name: value for name, value in query.items() if value is not None}
    return f"{path}?{urlencode({**given, 'cursor': cursor})}"


def link(next_path: str | None) -> dict[str, str]:
    """RFC 8288: the same as `next` for those who read headers."""
    return {} if next_path is None else {"Link": f'<{next_path}>; rel="next"'}
