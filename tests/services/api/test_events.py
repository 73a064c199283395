"""The feed and the claim check: CloudEvents by position, one tenant's only."""

import asyncio
from typing import Any

import pytest

from services.database import pool
from services.keys.erasures import HEAR_SECONDS
from services.keys.ring import Ring
from services.keys.vault import Vault
from services.record.erase import erase
from tests.services.api.house import ALI, House, with_file


async def _all(house: House, **asked: Any) -> tuple[list[dict[str, Any]], int]:
    answer = await house.get("/api/v1/events", "subscriber", **asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/cloudevents-batch+json"
    return answer.json(), int(answer.headers["tamas-position"])


async def test_a_feed_from_the_beginning(house: House) -> None:
    await house.say("یک", "دو")
    events, position = await _all(house)
    assert [event["type"] for event in events] == [
        "tamas.tenant.registered.v1",
        "tamas.inbox.added.v1",
        "tamas.interaction.received.v1",
        "tamas.interaction.received.v1",
    ]
    last = events[-1]
    assert (last["specversion"], last["tenant"], last["position"]) == ("1.0", "shop", str(position))
    assert last["data"]["personal"] == {**last["data"]["personal"], "text": "دو", "address": ALI}


async def test_pages_join_without_a_gap(house: House) -> None:
    await house.say(*[f"m{number}" for number in range(5)])
    seen, after = list[str](), 0
    while True:
        events, after = await _all(house, after=after, limit=2, topic="interactions")
        if not events:
            break
        seen += [event["data"]["personal"]["text"] for event in events]
    assert seen == [f"m{number}" for number in range(5)]


async def test_at_the_end_the_position_passes_what_is_other_tenants(house: House) -> None:
    await house.say("ours")
    _, after = await _all(house)
    await house.say("theirs", "theirs", tenant="rival")
    events, position = await _all(house, after=after)
    assert (events, position) == ([], after + 2)


async def test_topics_are_chosen(house: House) -> None:
    await house.say("one")
    assert len((await _all(house, topic="settings"))[0]) == 2
    assert len((await _all(house, topic=["settings", "interactions"]))[0]) == 3
    assert (await house.get("/api/v1/events", topic="secrets")).status_code == 400


async def test_one_event_in_both_modes(house: House) -> None:
    await house.say("یک")
    events, position = await _all(house, topic="interactions")
    bare = await house.get(f"/api/v1/events/{position}", "subscriber")
    assert bare.json() == events[0]["data"]
    assert (bare.headers["ce-id"], bare.headers["ce-type"]) == (events[0]["id"], events[0]["type"])
    headers = {**house.as_role("subscriber"), "Accept": "application/cloudevents+json"}
    whole = await house.http.get(f"/api/v1/events/{position}", headers=headers)
    assert whole.json() == events[0]
    assert whole.headers["content-type"] == "application/cloudevents+json"


async def test_a_hole_is_no_event(house: House) -> None:
    assert (await house.get("/api/v1/events/99999", "subscriber")).status_code == 404


@pytest.mark.parametrize("query", ["after=-1", "limit=0", "limit=5001", "after=9223372036854775808", "topic="])
async def test_parameters_have_bounds(house: House, query: str) -> None:
    assert (await house.get(f"/api/v1/events?{query}")).status_code == 400


async def test_the_contract_of_each_event_is_where_it_says(house: House) -> None:
    await house.say("one")
    for event in (await _all(house))[0]:
        path = "/schemas/" + event["dataschema"].partition("/schemas/")[2]
        answer = await house.http.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["content-type"] == "application/schema+json"
    assert (await house.http.get("/schemas/no.such/1.json")).status_code == 404


async def test_after_an_erasure_nothing_that_they_wrote_is_shown(house: House) -> None:
    await house.hear([with_file("shop", "SM1", "secret.txt", b"secret", "text/plain")])
    await house.caught_up()
    (item,) = (await house.get("/api/v1/timeline", address=ALI)).json()["items"]
    assert item["text"] in str((await _all(house))[0])
    settings = house.settings
    async with pool(settings.record_url) as record, pool(settings.keys_url) as keys:
        ring = Ring(keys, Vault(settings.secrets()))
        await erase(settings, record, keys, ring, tenant="shop", address=ALI, settled_seconds=HEAR_SECONDS + 0.2)
    await house.caught_up()
    events, _ = await _all(house)
    assert [event["data"].get("personal") for event in events if event["type"].startswith("tamas.inter")] == [None]
    left = (await house.get(f"/api/v1/interactions/{item['interaction_id']}")).json()
    assert (left["text"], left["address"], left["attachments"][0]["name"]) == (None, None, None)
    assert (await house.get(f"/api/v1/attachments/{item['attachments'][0]['attachment_id']}")).status_code == 404
    await asyncio.sleep(1)
    assert (await house.get("/api/v1/timeline", address=ALI)).json()["items"] == []
