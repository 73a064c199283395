"""One interaction, its request, its files."""

from uuid import UUID

import pytest

from schemas.reference import reference
from tests.services.api.house import ALI, House, message, with_file
from tests.services.api.test_timeline import MEMBERS


async def _only(house: House) -> dict[str, str]:
    await house.caught_up()
    (item,) = (await house.get("/api/v1/timeline", address=ALI)).json()["items"]
    return item


async def test_one_interaction_is_that_of_the_timeline(house: House) -> None:
    await house.say("one")
    item = await _only(house)
    found = (await house.get(f"/api/v1/interactions/{item['interaction_id']}", "agent")).json()
    assert {name: found[name] for name in MEMBERS} == item
    assert found["reference"] == reference(UUID(item["event_id"]))
    assert found["automatic"] == "human"


async def test_the_request_as_it_came(house: House) -> None:
    await house.say("one")
    item = await _only(house)
    answer = await house.get(f"/api/v1/interactions/{item['interaction_id']}/raw")
    assert answer.content == b"POST https://x.example/hooks/k HTTP/1.1\r\n\r\nBody=salaam"
    assert answer.headers["content-type"] == "message/http"


@pytest.mark.parametrize(
    ("media_type", "served_as"), [("text/html", "text/html"), ("text/html; x\r\ny: z", "application/octet-stream")]
)
async def test_a_file_is_saved_and_never_shown(house: House, media_type: str, served_as: str) -> None:
    await house.hear([with_file("shop", "SM1", "فاکتور.html", b"<script>", media_type)])
    item = await _only(house)
    (attachment,) = item["attachments"]
    assert (attachment["name"], attachment["bytes"]) == ("فاکتور.html", 8)  # type: ignore[index]
    answer = await house.get(f"/api/v1/attachments/{attachment['attachment_id']}", "agent")  # type: ignore[index]
    assert (answer.status_code, answer.content) == (200, b"<script>")
    assert answer.headers["content-type"] == served_as
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%D9%81")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_file_that_its_provider_keeps(house: House) -> None:
    heard = with_file("shop", "SM1", "x", b"x", "image/png")
    await house.hear([message("shop", "SM2", "x"), type(heard)(heard.source_key, heard.address, heard.fact)])
    await house.caught_up()
    items = (await house.get("/api/v1/timeline", address=ALI)).json()["items"]
    (held,) = [item["attachments"][0] for item in items if item["attachments"]]
    answer = await house.get(f"/api/v1/attachments/{held['attachment_id']}")
    assert answer.status_code == 404
    assert "provider keeps it" in answer.json()["detail"]


async def test_what_is_no_id(house: House) -> None:
    for path in ("interactions/1", "attachments/%00", "interactions/x/raw", "inboxes/1", "events/0", "events/x"):
        answer = await house.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
