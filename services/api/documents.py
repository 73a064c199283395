"""The contracts themselves: OpenAPI of this API, AsyncAPI of the topics, JSON Schemas of the facts."""

from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.openapi.utils import get_openapi

from services.api.access import ACCESS
from services.api.answers import as_json
from services.api.edge import REQUEST_ID
from services.api.problems import MEDIA_TYPE, ProblemBody, not_found, responses
from services.contracts import asyncapi, published
from services.settings import Settings

ROUTER: Final = APIRouter(tags=["contracts"])
TITLE: Final = "Tamas"
VERSION: Final = "1.0.0"
_OBJECT: Final = {"type": "object"}
_RETRIED: Final = ("429", "503")


@ROUTER.get(
    "/asyncapi.json",
    response_class=Response,
    responses={200: {"description": "AsyncAPI 3.0", "content": {"application/json": {"schema": _OBJECT}}}},
)
async def read_asyncapi(request: Request) -> Response:
    """The topics."""
    return as_json(request.app.state.asyncapi)


@ROUTER.get(
    "/schemas/{type}/{version}.json",
    response_class=Response,
    responses={
        200: {"description": "JSON Schema 2020-12", "content": {"application/schema+json": {"schema": _OBJECT}}},
        **responses(404),
    },
)
async def read_schema(
    request: Request,
    kind: Annotated[str, Path(alias="type", max_length=60, examples=["interaction.received"])],
    version: Annotated[int, Path(ge=1, le=1000)],
) -> Response:
    """The contract of a fact."""
    known = cast("dict[tuple[str, int], Any]", request.app.state.schemas)
    found = known.get((kind, version))
    if found is None:
        raise not_found("schema")
    answer = as_json(found, headers={"Cache-Control": "public, max-age=3600"})
    answer.headers["Content-Type"] = "application/schema+json"
    return answer


def install(app: FastAPI, settings: Settings) -> None:
    """Make the documents once, and let the application show its own."""
    app.state.asyncapi = asyncapi(settings)
    app.state.schemas = published()
    app.include_router(ROUTER)

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = openapi
    app.state.parameters = {
        (path, method.upper()): frozenset(
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
        )
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
    }


def document(app: FastAPI) -> dict[str, Any]:
    """OpenAPI 3.1, with the headers that every answer has."""
    made = get_openapi(
        title=TITLE,
        version=VERSION,
        summary="Every contact of a customer as one timeline.",
        description="The tenant comes from the token. Ids of other tenants are not found.\n\n" + _roles(),
        routes=app.routes,
    )
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["ProblemBody"] = ProblemBody.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= schemas["ProblemBody"].pop("$defs", {})
    for operations in made["paths"].values():
        for operation in operations.values():
            _complete(operation["responses"])
    return made


def _complete(found: dict[str, Any]) -> None:
    # A parameter that is not right is a 400 here; FastAPI documents its own 422.
    if "HTTPValidationError" in str(found.get("422")):
        del found["422"]
    for status, response in found.items():
        response.setdefault("description", HTTPStatus(int(status)).phrase)
        headers = response.setdefault("headers", {})
        headers[REQUEST_ID] = {"required": True, "schema": {"type": "string"}}
        if status in _RETRIED:
            headers["Retry-After"] = {"required": True, "schema": {"type": "string", "pattern": "^[0-9]+$"}}
        if status == "401":
            headers["WWW-Authenticate"] = {"required": True, "schema": {"type": "string"}}
        if MEDIA_TYPE in response.get("content", {}):
            response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}}


def _roles() -> str:
    lines = [f"| {action.replace('_', ' ')} | {', '.join(roles)} |" for action, roles in ACCESS.items()]
    return "\n".join(["| who may | roles |", "|---|---|", *lines])
