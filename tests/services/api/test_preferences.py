from datetime import timedelta
from typing import Any

import httpx
import psycopg

from channels.contract import Heard, Origin
from schemas.customer import ConsentStated, PreferenceStated, Stated
from services.database import pool
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.erase import erase
from tests.services.api.house import ALI, NATURAL_NAME, NOON, House

_PATH = "/api/v1/preferences"
_BODY: dict[str, Any] = {
    "channels": ["chat/telegram", "sms"],
    "quiet_hours": {"begins": "22:00", "ends": "08:00"},
    "language": "fa",
    "time_zone": "Asia/Tehran",
    "consents": [{"channel": "sms", "granted": True}],
}


async def _put(
    house: House, body: Any, key: str | None = None, role: str = "agent", tenant: str = "shop", address: str = ALI
) -> httpx.Response:
    headers = house.as_role(role, tenant) | ({} if key is None else {"Idempotency-Key": key})
    return await house.http.put(_PATH, params={"address": address}, json=body, headers=headers)


async def _on_file(house: House, address: str = ALI, tenant: str = "shop") -> dict[str, Any]:
    answer = await house.get(_PATH, "agent", tenant, address=address)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_nothing_is_on_file_of_whom_nobody_knows(house: House) -> None:
    found = await _on_file(house, "0912 999 9999")
    assert found["address"] == "tel:+989129999999"
    assert (found["address_id"], found["channels"], found["source"], found["consents"]) == (None, [], None, [])


async def test_what_was_put_is_read(house: House) -> None:
    position = (await _put(house, _BODY)).json()["position"]
    found = await _on_file(house)
    assert {name: found[name] for name in ("channels", "quiet_hours", "language", "time_zone", "source")} == {
        **{name: _BODY[name] for name in ("channels", "quiet_hours", "language", "time_zone")},
        "source": "agent",
    }
    assert [(one["channel"], one["purpose"], one["granted"]) for one in found["consents"]] == [("sms", "service", True)]
    assert found["position"] == position


async def test_all_that_was_on_file_is_replaced_and_consent_only_its_like(house: House) -> None:
    await _put(house, _BODY)
    consents = [{"channel": "sms", "granted": False}, {"channel": "email", "granted": True}]
    answer = await _put(house, {"channels": ["email"], "consents": consents}, role="integrator")
    assert answer.status_code == 200
    found = await _on_file(house)
    assert (found["channels"], found["quiet_hours"], found["language"]) == (["email"], None, None)
    assert found["source"] == "api"
    assert {one["channel"]: one["granted"] for one in found["consents"]} == {"sms": False, "email": True}


async def test_the_same_command_again_gets_the_first_answer(house: House) -> None:
    first = await _put(house, _BODY, "k1")
    await _put(house, {"channels": ["email"]}, "k2")
    assert (await _put(house, _BODY, "k1")).json() == first.json()
    assert (await _on_file(house))["channels"] == ["email"]
    assert (await _put(house, {"channels": []}, "k1")).status_code == 422
    assert (await _put(house, _BODY, "k1", address="tel:+989120000000")).status_code == 422


async def test_the_newest_word_counts_also_when_it_was_said_in_a_form(house: House) -> None:
    await _put(house, _BODY)
    await house.hear([_said("F1", PreferenceStated, channels=("email",))])
    found = await _on_file(house)
    # Said at noon of another day, long before what is on file.
    assert found["channels"] == ["chat/telegram", "sms"]
    await house.hear([_said("F2", PreferenceStated, channels=("email",), days=3650)])
    found = await _on_file(house)
    assert (found["channels"], found["source"]) == (["email"], "contact")
    assert found["quiet_hours"] == {"begins": "22:00", "ends": "08:00"}


async def test_consent_of_a_form_is_of_the_address_and_stop_of_all_short_messages(house: House) -> None:
    await house.hear([_said("F1", ConsentStated, channel="forms/web", purpose="service", granted=True)])
    await house.hear([_said("S1", ConsentStated, channel="sms/twilio", purpose="any", granted=False)])
    found = await _on_file(house)
    assert [(one["channel"], one["purpose"], one["granted"]) for one in found["consents"]] == [
        ("any", "service", True),
        ("sms", "any", False),
    ]


async def test_another_tenant_and_another_role_see_nothing(house: House) -> None:
    await _put(house, _BODY)
    assert (await _on_file(house, tenant="rival"))["channels"] == []
    assert (await _put(house, _BODY, role="subscriber")).status_code == 403
    assert (await house.get(_PATH, "subscriber", address=ALI)).status_code == 403


async def test_what_does_not_fit_is_told(house: House) -> None:
    unfit: list[dict[str, Any]] = [
        {"channels": ["SMS!"]},
        {"channels": ["sms"], "quiet_hours": {"begins": "25:00", "ends": "08:00"}},
        {"channels": ["sms"], "language": "Persian"},
        {},
        {"channels": [], "more": 1},
    ]
    for wrong in unfit:
        assert (await _put(house, wrong)).status_code == 422, wrong
    impossible: list[dict[str, Any]] = [
        {"channels": [], "time_zone": "Mars/Olympus"},
        {"channels": [], "quiet_hours": {"begins": "08:00", "ends": "08:00"}},
    ]
    for refused in impossible:
        answer = await _put(house, refused)
        assert (answer.status_code, answer.json()["code"]) == (409, "refused"), answer.text
    assert (await _put(house, _BODY, address="nobody")).status_code == 422


async def test_an_erased_address_has_nothing_on_file_and_may_begin_anew(house: House) -> None:
    await _put(house, _BODY, "k1")
    before = (await _on_file(house))["address_id"]
    settings = house.settings
    async with pool(settings.record_url, size=2) as record, pool(settings.keys_url, size=2) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        await erase(settings, record, keys, ring, tenant="shop", address=ALI)
    found = await _on_file(house)
    assert (found["channels"], found["quiet_hours"], found["consents"]) == ([], None, [])
    await _put(house, {"channels": ["email"]}, "k2")
    after = await _on_file(house)
    assert (after["channels"], after["consents"]) == (["email"], [])
    assert after["address_id"] not in (None, before)


async def test_how_a_person_lives_is_sealed(house: House) -> None:
    await _put(house, _BODY)
    with psycopg.connect(house.settings.record_url) as connection:
        rows = connection.execute("SELECT data, personal FROM record.facts WHERE type = 'preference.filed'").fetchall()
    ((data, personal),) = rows
    assert data == b'{"type":"preference.filed","version":1,"channels":["chat/telegram","sms"],"source":"agent"}'
    assert b"Tehran" not in personal
    assert b"22:00" not in personal


async def test_subscribers_hear_of_it_with_its_personal_part(house: House) -> None:
    position = (await _put(house, _BODY)).json()["position"]
    answer = await house.get("/api/v1/events", "subscriber", topic="customers", after=position - 1)
    (event,) = answer.json()
    assert event["type"] == "tamas.preference.filed.v1"
    assert event["data"]["personal"]["quiet_hours"] == _BODY["quiet_hours"]


def _said(key: str, kind: type[PreferenceStated | ConsentStated], *, days: int = 0, **fields: Any) -> Heard:
    origin = Origin("shop", NATURAL_NAME)
    fact = kind(interaction_id=origin.derive(key, "interaction"), personal=Stated(address=ALI), **fields)
    return Heard(key, ALI, fact, NOON + timedelta(days=days))
