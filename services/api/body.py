"""Reads a JSON body after the caller is known, within a limit, into a model."""

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from services.api.problems import Problem

MOST_BYTES: Final = 256 * 1024
_Model = TypeVar("_Model", bound=BaseModel)


def json_body(model: type[_Model], most_bytes: int = MOST_BYTES) -> Callable[[Request], Awaitable[_Model]]:
    """A dependency, to be named after the one that asks who it is.

    Raises:
        Problem: 413 above `most_bytes`, 415 for what says it is no JSON, 400 for what is none, 422 for what does not
            fit.
    """

    async def read(request: Request) -> _Model:
        media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type != "application/json":
            raise Problem(415, "Send the body as application/json.")
        content = await _whole(request, most_bytes)
        try:
            found = from_json(content)
        except ValueError as error:
            raise Problem(400, f"The body is no JSON: {error}.", code="bad_json") from error
        try:
            return model.model_validate(found, strict=False)
        except ValidationError as error:
            raise _unfit(error) from error

    return read


def documented(model: type[BaseModel]) -> dict[str, Any]:
    """`openapi_extra` of an operation with such a body; a model within it is written where it stands."""
    made = model.model_json_schema(mode="validation")
    schema = _in_place(made, made.pop("$defs", {}))
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def _in_place(part: Any, defined: dict[str, Any]) -> Any:
    if isinstance(part, list):
        return [_in_place(one, defined) for one in cast("list[Any]", part)]
    if not isinstance(part, dict):
        return part
    fields = cast("dict[str, Any]", part)
    if "$ref" in fields:
        return _in_place(defined[fields["$ref"].rpartition("/")[2]], defined)
    return {name: _in_place(value, defined) for name, value in fields.items()}


async def _whole(request: Request, most_bytes: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most_bytes:
            raise Problem(413, f"A body has up to {most_bytes} bytes.")
        parts.append(part)
    return b"".join(parts)


def _unfit(error: ValidationError) -> Problem:
    # Without the values: one of them may be a secret.
    found = error.errors(include_input=False, include_url=False, include_context=False)
    errors = [(".".join(str(part) for part in one["loc"]) or "body", one["msg"]) for one in found]
    told = "; ".join(f"{field}: {detail}" for field, detail in errors)
    return Problem(422, f"The body does not fit: {told}.", errors=errors)
