import psycopg

from tests.services.api.house import House


async def test_parked_is_listed_in_pages_and_retried(house: House) -> None:
    for number in range(5):
        await house.hear([], reason=f"reason {number}")
    path, seen = "/api/v1/parked?limit=2", list[str]()
    while path:
        answer = await house.get(path)
        seen += [item["reason"] for item in answer.json()["items"]]
        path = answer.json()["next"]
    assert seen == [f"reason {number}" for number in reversed(range(5))]

    parked_id = (await house.get("/api/v1/parked?limit=1")).json()["items"][0]["parked_id"]
    headers = {**house.as_role("operator"), "Idempotency-Key": "once"}
    for _ in range(2):
        answer = await house.http.post(f"/api/v1/parked/{parked_id}/retry", headers=headers)
        assert (answer.status_code, answer.json()) == (202, {"parked_id": parked_id, "state": "retried"})
    with psycopg.connect(house.settings.record_url) as connection:
        assert connection.execute("SELECT tenant, inbox_id FROM service.pending").fetchall() == [
            ("shop", house.inboxes["shop"])
        ]
    assert len((await house.get("/api/v1/parked")).json()["items"]) == 4


async def test_what_cannot_be_retried(house: House) -> None:
    await house.hear([], reason="one")
    await house.hear([], reason="two")
    two, one = (item["parked_id"] for item in (await house.get("/api/v1/parked")).json()["items"])
    with psycopg.connect(house.settings.record_url) as connection:
        connection.execute("UPDATE service.parked SET state = 'discarded' WHERE parked_id = %s", (one,))
        connection.execute("DELETE FROM record.raw")
    for parked_id, told in ((one, "discarded"), (two, "dropped")):
        answer = await house.http.post(f"/api/v1/parked/{parked_id}/retry", headers=house.as_role("operator"))
        assert answer.status_code == 409
        assert told in answer.json()["detail"]
