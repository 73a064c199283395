"""Who sees what: tokens, roles, and other tenants, over every path of the document."""

from typing import Any
from uuid import uuid4

import pytest

from services.api.access import ACCESS
from services.tenancy.tokens import ROLES, add_token, revoke_token, tokens
from tests.services.api.house import ALI, House
from tests.services.api.things import one_of_each

OPEN = {"/livez", "/readyz", "/asyncapi.json", "/schemas/{type}/{version}.json"}
# One operation for each line of the table of roles.
OPERATIONS = {
    "read_timeline": ("GET", "/api/v1/timeline?address=x", 200),
    "read_raw": ("GET", f"/api/v1/interactions/{uuid4()}/raw", 404),
    "read_inboxes": ("GET", "/api/v1/inboxes", 200),
    "change_inboxes": ("PATCH", f"/api/v1/inboxes/{uuid4()}", 404),
    "read_requests": ("GET", f"/api/v1/inboxes/{uuid4()}/requests", 404),
    "read_events": ("GET", "/api/v1/events", 200),
    "read_parked": ("GET", "/api/v1/parked", 200),
    "retry_parked": ("POST", f"/api/v1/parked/{uuid4()}/retry", 404),
    "read_preferences": ("GET", "/api/v1/preferences?address=x", 200),
    "change_preferences": ("PUT", "/api/v1/preferences?address=x", 422),
    "answer": ("POST", f"/api/v1/conversations/{uuid4()}/take", 404),
}
# What is sent where a path is walked; what is there may be in no state for it, and is found all the same.
BODIES: dict[str, Any] = {
    "/api/v1/conversations/{conversation_id}/messages": {"text": "Soon!"},
    "/api/v1/messages/{message_id}/judge": {"judged": "arrived"},
}


def _paths(house: House) -> list[tuple[str, str]]:
    paths: dict[str, dict[str, Any]] = house.app.openapi()["paths"]
    return [(method.upper(), path) for path, operations in paths.items() for method in operations]


async def test_without_a_token_nothing_but_health_and_contracts(house: House) -> None:
    for method, path in _paths(house):
        if path in OPEN:
            continue
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic dTpw"}):
            answer = await house.http.request(method, path, headers=headers, json={})
            assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), path
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("action", sorted(ACCESS))
async def test_the_table_of_roles_holds(house: House, action: Any) -> None:
    method, path, status = OPERATIONS[action]
    for role in ROLES:
        answer = await house.http.request(method, path, headers=house.as_role(role), json={})
        assert answer.status_code == (status if role in ACCESS[action] else 403), (role, answer.text)


async def test_a_revoked_token_is_noticed(house: House) -> None:
    token, secret = add_token(house.settings.record_url, "shop", "soon gone", "agent", None)
    headers = {"Authorization": f"Bearer {secret}"}
    revoke_token(house.settings.record_url, "shop", token.token_id)
    assert (await house.http.get("/api/v1/timeline?address=x", headers=headers)).status_code == 401
    assert len(tokens(house.settings.record_url, "shop")) == len(ROLES) + 1


async def test_ids_of_another_tenant_are_not_found_on_any_path(house: House) -> None:
    ids = await one_of_each(house)
    walked = 0
    for method, path in _paths(house):
        if "{" not in path or path in OPEN:
            continue
        for tenant, expected in (("rival", {404}), ("shop", {200, 202, 409})):
            body = BODIES.get(path, {"settings": {}})
            answer = await house.http.request(
                method, path.format(**ids), headers=house.as_role("operator", tenant), json=body
            )
            assert answer.status_code in expected, (tenant, path, answer.text)
            assert answer.headers["tamas-request-id"]
        walked += 1
    assert walked == 17


async def test_lists_show_nothing_of_another_tenant(house: House) -> None:
    ids = await one_of_each(house)
    assert (await house.get("/api/v1/timeline", tenant="rival", address=ALI)).json()["items"] == []
    assert (await house.get("/api/v1/parked", tenant="rival")).json()["items"] == []
    assert (await house.get("/api/v1/conversations", tenant="rival")).json()["items"] == []
    assert str(ids["inbox_id"]) not in (await house.get("/api/v1/inboxes", tenant="rival")).text
    assert {event["tenant"] for event in (await house.get("/api/v1/events", tenant="rival")).json()} == {"rival"}


async def test_row_level_security_holds_without_our_own_conditions(house: House) -> None:
    """What would be seen if a query forgot its `WHERE tenant`."""
    await one_of_each(house)
    runtime = house.app.state.runtime
    for table in ("record.facts", "record.decisions", "record.raw", "service.parked", "service.pending"):
        async with runtime.of("rival").connection() as connection:
            cursor = await connection.execute(f"SELECT count(*) FROM {table} WHERE tenant <> 'rival'".encode())
            assert await cursor.fetchone() == (0,), table
    async with runtime.timeline("rival") as tx:
        assert await (await tx.execute("SELECT count(*) FROM interactions")).fetchone() == (0,)
    async with runtime.record.connection() as connection, connection.transaction():
        assert await (await connection.execute("SELECT count(*) FROM record.facts")).fetchone() == (0,)
