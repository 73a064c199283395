"""Ways to answer: JSON by orjson, links to the next page, and the bounds that parameters share."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import orjson
from fastapi import Query, Response
from pydantic import AwareDatetime, BeforeValidator

BIGGEST: Final = 2**63 - 1

# Pydantic alone would also take a number, and a time without its seconds.
_RFC_3339: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+ -]\d\d:\d\d)", re.ASCII | re.IGNORECASE)


def _strict(written: object) -> object:
    found = _RFC_3339.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        raise ValueError("a time is written as in RFC 3339, with its zone: 2026-11-20T09:30:00Z")
    # A + that was not escaped in a query arrives as a space.
    return found[1] + found[2].replace(" ", "+")


Limit = Annotated[int, Query(ge=1, le=200, description="Items in a page.")]
Cursor = Annotated[str | None, Query(max_length=64, description="From `next` of the page before.")]
Position = Annotated[int, Query(ge=0, le=BIGGEST)]
Time = Annotated[AwareDatetime, BeforeValidator(_strict)]


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
