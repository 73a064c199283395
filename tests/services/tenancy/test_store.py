"""Tenants and inboxes through the record and the keys of a real PostgreSQL."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import psycopg
import pytest

from services.record.errors import AlreadyDone, Refused
from services.settings import Settings
from services.tenancy.store import Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.tenancy.inboxes import FORM, MAIL, SMS


@pytest.fixture
def tenancy(settings: Settings) -> Iterator[Tenancy]:
    made = Tenancy(settings)
    made.add_tenant(RegisterTenant("acme", "Acme"))
    yield made
    made.close()


def test_an_inbox_is_added_with_a_door_and_sealed_secrets(tenancy: Tenancy, settings: Settings) -> None:
    added = tenancy.add_inbox("acme", SMS)
    assert added.inbox.natural_name == "twilio:+982191000000"
    assert added.key is not None
    assert len(added.key) == 26
    assert tenancy.view("acme", added.inbox.inbox_id) == added
    assert tenancy.secrets(added.inbox.inbox_id) == {"auth_token": "twilio-secret"}
    with psycopg.connect(settings.record_url) as connection:
        everything = connection.execute("SELECT state FROM record.decisions").fetchall()
        sealed = connection.execute("SELECT sealed, digest FROM keys.doors").fetchall()
    assert not any(b"twilio-secret" in state or added.key.encode() in state for (state,) in everything)
    assert not any(added.key.encode() in cell for row in sealed for cell in row)


def test_a_form_needs_no_address_and_no_secret_of_its_owner(tenancy: Tenancy) -> None:
    added = tenancy.add_inbox("acme", FORM)
    assert added.inbox.natural_name == "web:contact"
    assert len(tenancy.secrets(added.inbox.inbox_id)["token_secret"]) == 26


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (replace(SMS, channel="sms/pigeon"), "no channel 'sms/pigeon'. There are: .*sms/twilio"),
        (replace(SMS, secrets={}), "auth_token: Field required"),
        (replace(SMS, secrets={}, settings={"auth_token": "twilio-secret"}), "auth_token of sms/twilio is secret"),
        (replace(SMS, settings={"colour": "blue"}), "colour: Extra inputs"),
        (replace(SMS, address=" "), "needs an address"),
        (replace(MAIL, address="help"), "no mail address"),
        (replace(SMS, name=""), "name"),
    ],
)
def test_what_cannot_work_is_refused_in_a_sentence_without_values(tenancy: Tenancy, new: object, told: str) -> None:
    with pytest.raises(Refused, match=told) as refused:
        tenancy.add_inbox("acme", new)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    assert "twilio-secret" not in str(refused.value)


def test_one_inbox_for_a_natural_name(tenancy: Tenancy) -> None:
    first = tenancy.add_inbox("acme", SMS)
    with pytest.raises(Refused, match="'Sales' is open for twilio"):
        tenancy.add_inbox("acme", replace(SMS, name="Other", address="02191000000"))
    tenancy.disable("acme", first.inbox.inbox_id)
    tenancy.add_inbox("acme", SMS)


def test_a_number_may_serve_two_tenants_but_a_mailbox_only_one(tenancy: Tenancy) -> None:
    tenancy.add_tenant(RegisterTenant("other", "Other"))
    for tenant in ("acme", "other"):
        tenancy.add_inbox(tenant, SMS)
    tenancy.add_inbox("acme", MAIL)
    with pytest.raises(Refused, match="of another tenant"):
        tenancy.add_inbox("other", MAIL)


def test_of_rivals_for_a_natural_name_one_wins(tenancy: Tenancy, settings: Settings) -> None:
    refused: list[str] = []

    def add() -> None:
        rival = Tenancy(settings)
        try:
            rival.add_inbox("acme", SMS)
        except Refused as error:
            refused.append(str(error))
        finally:
            rival.close()

    rivals = [threading.Thread(target=add) for _ in range(3)]
    for thread in rivals:
        thread.start()
    for thread in rivals:
        thread.join()
    assert len(refused) == 2
    assert len(list(tenancy.register().of("acme"))) == 1


def test_an_unknown_tenant_and_another_tenants_inbox_are_not_found(tenancy: Tenancy) -> None:
    added = tenancy.add_inbox("acme", SMS)
    with pytest.raises(Refused, match="no tenant 'nobody'"):
        tenancy.add_inbox("nobody", SMS)
    with pytest.raises(Refused, match="no inbox"):
        tenancy.view("other", added.inbox.inbox_id)
    with pytest.raises(Refused, match="no inbox"):
        tenancy.rotate("other", added.inbox.inbox_id, timedelta(0))


def test_settings_and_secrets_change_and_are_checked(tenancy: Tenancy) -> None:
    added = tenancy.add_inbox("acme", SMS)
    inbox_id = added.inbox.inbox_id
    tenancy.change_inbox("acme", inbox_id, {"region": "DE"}, {})
    tenancy.change_inbox("acme", inbox_id, {}, {"auth_token": "the-next"}, grace=timedelta(hours=1))
    assert tenancy.secrets(inbox_id) == {"auth_token": "the-next"}
    assert tenancy.view("acme", inbox_id).inbox.settings == {"region": "DE"}
    with pytest.raises(Refused, match="region"):
        tenancy.change_inbox("acme", inbox_id, {"region": "Germany"}, {})


def test_a_rotated_key_is_another(tenancy: Tenancy) -> None:
    added = tenancy.add_inbox("acme", SMS)
    key = tenancy.rotate("acme", added.inbox.inbox_id, timedelta(hours=1))
    assert key != added.key
    assert tenancy.view("acme", added.inbox.inbox_id).key == key


def test_a_repeated_command_adds_no_second_inbox(tenancy: Tenancy) -> None:
    command_id = uuid4()
    tenancy.add_inbox("acme", FORM, command_id=command_id)
    with pytest.raises(AlreadyDone):
        tenancy.add_inbox("acme", replace(FORM, name="another"), command_id=command_id)
    names = [inbox.name for _, inbox, _ in tenancy.register().of(None)]
    assert names == ["contact"]
