"""Who may do what: one table, one dependency that reads the token."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Literal

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.api.problems import Problem
from services.api.runtime import Runtime, runtime_of
from services.tenancy.tokens import Role, Token

Action = Literal[
    "read_timeline",
    "read_raw",
    "read_inboxes",
    "change_inboxes",
    "read_requests",
    "read_events",
    "read_parked",
    "retry_parked",
    "read_preferences",
    "change_preferences",
    "answer",
]

ACCESS: Final[dict[Action, tuple[Role, ...]]] = {
    "read_timeline": ("agent", "supervisor", "operator"),
    "read_raw": ("operator",),
    "read_inboxes": ("supervisor", "operator", "integrator"),
    "change_inboxes": ("operator", "integrator"),
    "read_requests": ("operator", "integrator"),
    "read_events": ("operator", "integrator", "subscriber"),
    "read_parked": ("supervisor", "operator", "integrator"),
    "retry_parked": ("operator",),
    "read_preferences": ("agent", "supervisor", "operator", "integrator"),
    "change_preferences": ("agent", "supervisor", "operator", "integrator"),
    "answer": ("agent", "supervisor", "operator"),
}

_BEARER: Final = HTTPBearer(auto_error=False, description="A token made with `tamas token add`; its tenant is yours.")
_CHALLENGE: Final = {"WWW-Authenticate": "Bearer"}


def allows(role: Role, action: Action) -> bool:
    """What the table says."""
    return role in ACCESS[action]


def may(action: Action) -> Callable[..., Awaitable[Token]]:
    """A dependency: the token of a caller who may do this.

    Raises:
        Problem: 401 without a valid token, 403 with another role, 429 above the limit of requests, 400 for parameters
            that the document does not name.
    """

    async def caller(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]
    ) -> Token:
        runtime = runtime_of(request)
        token = await _token(runtime, credentials)
        wait = runtime.limits.take(token.token_id.bytes)
        if wait:
            raise Problem(429, "Too many requests with this token.", headers={"Retry-After": str(wait)})
        if not allows(token.role, action):
            roles = ", ".join(ACCESS[action])
            raise Problem(403, f"The role {token.role} may not do this; it is for: {roles}.")
        _refuse_unknown(request)
        return token

    return caller


def _refuse_unknown(request: Request) -> None:
    # A filter with a slip in its name would give an answer to another question.
    if not request.query_params:
        return
    known: frozenset[str] = request.app.state.parameters[request.scope["route"].path, request.method]
    unknown = [(name, "unknown parameter") for name in request.query_params if name not in known]
    if unknown:
        names = ", ".join(name for name, _ in unknown)
        told = f"known here: {', '.join(sorted(known))}" if known else "this path takes none"
        raise Problem(400, f"Unknown parameter {names}; {told}.", errors=unknown)


async def _token(runtime: Runtime, credentials: HTTPAuthorizationCredentials | None) -> Token:
    if credentials is None:
        raise Problem(401, "Send a token: Authorization: Bearer tamas_…", headers=_CHALLENGE)
    token = await runtime.authenticator.authenticate(credentials.credentials)
    if token is None:
        wait = runtime.strangers.take(b"")
        if wait:
            raise Problem(429, "Too many requests with unknown tokens.", headers={"Retry-After": str(wait)})
        raise Problem(401, "This token is unknown, revoked or expired.", headers=_CHALLENGE)
    return token
