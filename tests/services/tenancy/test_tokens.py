"""Tokens against a real PostgreSQL."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from services.database import pool
from services.record.errors import Refused
from services.settings import Settings
from services.tenancy.store import Tenancy
from services.tenancy.tenant import RegisterTenant
from services.tenancy.tokens import Authenticator, add_token, revoke_token, tokens


@pytest.fixture
def url(settings: Settings) -> str:
    tenancy = Tenancy(settings)
    for slug in ("acme", "other"):
        tenancy.add_tenant(RegisterTenant(slug, slug))
    tenancy.close()
    return settings.record_url


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
async def authenticator(url: str, now: list[float]) -> AsyncIterator[Authenticator]:
    async with pool(url, role="tamas_api") as connections:
        yield Authenticator(connections, lambda: now[0])


async def test_a_secret_tells_its_token_and_nothing_else_does(url: str, authenticator: Authenticator) -> None:
    token, secret = add_token(url, "acme", "desk", "agent", timedelta(days=90))
    assert secret.startswith("tamas_")
    assert len(secret) == len("tamas_") + 32
    assert await authenticator.authenticate(secret) == token
    for wrong in ("", "tamas_", secret[:-1], secret.upper(), "\udcff"):
        assert await authenticator.authenticate(wrong) is None


async def test_the_database_never_sees_a_secret(url: str) -> None:
    _, secret = add_token(url, "acme", "desk", "agent", None)
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT t::text FROM service.tokens AS t").fetchall()
    assert not any(secret in row or secret.encode().hex() in row for (row,) in rows)


async def test_a_revoked_token_is_noticed_within_five_seconds(
    url: str, authenticator: Authenticator, now: list[float]
) -> None:
    token, secret = add_token(url, "acme", "desk", "operator", None)
    assert await authenticator.authenticate(secret) is not None
    revoke_token(url, "acme", token.token_id)
    now[0] = 5.0
    assert await authenticator.authenticate(secret) is None
    revoke_token(url, "acme", token.token_id)


async def test_an_expired_token_is_none(url: str, authenticator: Authenticator) -> None:
    _, secret = add_token(url, "acme", "desk", "agent", timedelta(seconds=-1))
    assert await authenticator.authenticate(secret) is None


def test_each_tenant_sees_its_own(url: str) -> None:
    mine, _ = add_token(url, "acme", "a", "agent", None)
    theirs, _ = add_token(url, "other", "b", "agent", None)
    assert tokens(url, "acme") == [mine]
    assert tokens(url, None) == [mine, theirs]
    with pytest.raises(Refused, match="no token"):
        revoke_token(url, "acme", theirs.token_id)
    with pytest.raises(Refused, match="no token"):
        revoke_token(url, None, uuid4())


@pytest.mark.parametrize(
    ("tenant", "name", "role", "told"),
    [("acme", "a", "king", "no role"), ("acme", " ", "agent", "name"), ("nobody", "a", "agent", "no tenant 'nobody'")],
)
def test_what_makes_no_sense_is_refused(url: str, tenant: str, name: str, role: str, told: str) -> None:
    with pytest.raises(Refused, match=told):
        add_token(url, tenant, name, role, None)
