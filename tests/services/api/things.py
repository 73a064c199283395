"""What paths of the API may name."""

from typing import Any

import psycopg

from tests.services.api.house import ALI, House, with_file
from tests.services.conversations.deciding import caught_up, deciding


async def one_of_each(house: House) -> dict[str, Any]:
    """One of each of the shop's things, by the name of its path parameter."""
    async with deciding(house.settings):
        await house.hear([with_file("shop", "SM1", "secret.txt", b"secret", "text/plain")])
        await caught_up(house.settings)
    await house.hear([], reason="cannot be read")
    await house.caught_up()
    (item,) = (await house.get("/api/v1/timeline", address=ALI)).json()["items"]
    with psycopg.connect(house.settings.record_url) as connection:
        row = connection.execute("SELECT parked_id FROM service.parked").fetchone()
    assert row is not None
    said = await house.http.post(
        f"/api/v1/conversations/{item['conversation_id']}/messages",
        json={"text": "Soon!"},
        headers=house.as_role("agent"),
    )
    return {
        "interaction_id": item["interaction_id"],
        "conversation_id": item["conversation_id"],
        "message_id": said.json()["message_id"],
        "attachment_id": item["attachments"][0]["attachment_id"],
        "inbox_id": str(house.inboxes["shop"]),
        "position": item["position"],
        "parked_id": str(row[0]),
        "type": "interaction.received",
        "version": 1,
    }
