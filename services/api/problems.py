"""What went wrong, as RFC 9457 has it: `application/problem+json`, one table of codes, one way to answer."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
import psycopg
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from projections.generation import NotServed
from services.record.errors import Conflict, Refused

MEDIA_TYPE: Final = "application/problem+json"
_CODES: Final[dict[int, str]] = {
    400: "bad_parameter",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "refused",
    412: "changed_meanwhile",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "unprocessable",
    429: "too_many_requests",
    500: "fault",
    503: "away",
}


class FieldError(BaseModel):
    """One field that is not right."""

    field: str
    detail: str


class ProblemBody(BaseModel):
    """Every error of the API."""

    type: str = Field(description="`urn:tamas:problem:<code>`")
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FieldError] | None = Field(None, description="Each field that is not right.")


class Problem(Exception):
    """An answer other than the one that was asked for. `detail` is a sentence that its reader can act on."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        errors: Sequence[tuple[str, str]] = (),
    ) -> None:
        """`code` only where it says more than the status; `errors` are (field, detail) pairs."""
        super().__init__(detail)
        self.status: Final = status
        self.detail: Final = detail
        self.code: Final = code or _CODES[status]
        self.headers: Final = dict(headers or {})
        self.errors: Final = errors


def not_found(what: str) -> Problem:
    """404; the same whether it never was, is another tenant's, or is gone."""
    return Problem(404, f"There is no such {what}.")


def away(detail: str, *, seconds: int = 1, code: str | None = None) -> Problem:
    """503: the same request will do in a while."""
    return Problem(503, detail, code=code, headers={"Retry-After": str(seconds)})


def body_of(problem: Problem, request_id: str) -> bytes:
    """The problem's JSON."""
    body: dict[str, Any] = {
        "type": f"urn:tamas:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
        "request_id": request_id,
    }
    if problem.errors:
        body["errors"] = [{"field": field, "detail": detail} for field, detail in problem.errors]
    return orjson.dumps(body)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an operation's documentation says of these statuses."""
    return {
        status: {
            "model": ProblemBody,
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }


def guarded(*more: int) -> dict[int | str, dict[str, Any]]:
    """The same for an operation that asks who it is: what each of them may answer, and `more`."""
    return responses(*sorted({400, 401, 403, 429, 503, *more}))


def install(app: FastAPI) -> None:
    """Let every error that an operation may raise end in a problem."""

    async def on_problem(request: Request, error: Problem) -> Response:
        return _answer(request, error)

    async def on_invalid(request: Request, error: RequestValidationError) -> Response:
        return _answer(request, _invalid(error))

    async def on_http(request: Request, error: HTTPException) -> Response:
        detail = {404: "There is nothing at this path.", 405: "This path does not take this method."}
        known = Problem(
            error.status_code if error.status_code in _CODES else 400,
            detail.get(error.status_code, str(error.detail)),
            headers=error.headers,
        )
        return _answer(request, known)

    async def on_refused(request: Request, error: Refused) -> Response:
        return _answer(request, Problem(409, str(error)))

    async def on_conflict(request: Request, error: Conflict) -> Response:
        return _answer(request, Problem(409, str(error), code="conflict"))

    async def on_filling(request: Request, error: NotServed) -> Response:
        return _answer(request, away(f"{str(error).capitalize()}.", seconds=2, code="being_filled"))

    async def on_away(request: Request, _: psycopg.Error) -> Response:
        return _answer(request, away("The database does not answer at the moment, please try again."))

    handlers: dict[type[Exception], Any] = {
        Problem: on_problem,
        RequestValidationError: on_invalid,
        HTTPException: on_http,
        Refused: on_refused,
        Conflict: on_conflict,
        NotServed: on_filling,
        psycopg.OperationalError: on_away,
        psycopg.InterfaceError: on_away,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _answer(request: Request, problem: Problem) -> Response:
    body = body_of(problem, request.state.request_id)
    return Response(body, problem.status, problem.headers, MEDIA_TYPE)


def _invalid(error: RequestValidationError) -> Problem:
    found: list[dict[str, Any]] = list(error.errors())
    if any(one["loc"][0] == "path" for one in found):
        return Problem(404, "There is nothing by this id.")
    errors = [(".".join(str(part) for part in one["loc"][1:]), str(one["msg"])) for one in found]
    told = "; ".join(f"{field}: {detail}" for field, detail in errors)
    return Problem(400, f"A parameter is not right: {told}.", errors=errors)
