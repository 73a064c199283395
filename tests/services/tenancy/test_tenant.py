"""Given facts, when a command, then facts or a sentence."""

from dataclasses import replace

import pytest

from services.record.errors import Refused
from services.tenancy.tenant import NoTenant, RegisterTenant, Tenant, decide, tenant_after, tenant_stream

ACME = RegisterTenant("acme", "Acme")


def test_a_tenant_is_registered_with_what_is_usual_here() -> None:
    assert tenant_after(decide(NoTenant(), ACME)) == Tenant("acme", "Acme", "IR", "Asia/Tehran", "fa", "persian")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (replace(ACME, slug="Acme"), "short name"),
        (replace(ACME, slug="1st"), "short name"),
        (replace(ACME, slug=""), "short name"),
        (replace(ACME, name="  "), "name that people"),
        (replace(ACME, region="XX"), "region"),
        (replace(ACME, region="ir"), "region"),
        (replace(ACME, time_zone="Tehran"), "time zone"),
        (replace(ACME, language="persian!"), "language"),
        (replace(ACME, calendar="maya"), "calendar"),
    ],
)
def test_what_is_none_of_its_kind_is_refused(wrong: RegisterTenant, told: str) -> None:
    with pytest.raises(Refused, match=told):
        decide(NoTenant(), wrong)


def test_a_name_is_given_once() -> None:
    with pytest.raises(Refused, match="already"):
        decide(tenant_after(decide(NoTenant(), ACME)), replace(ACME, name="Another"))


def test_streams_are_told_apart_by_slug() -> None:
    assert tenant_stream("acme") == tenant_stream("acme") != tenant_stream("acme2")
