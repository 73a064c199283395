import re
from collections.abc import AsyncGenerator

import httpx
import pytest

from services.settings import Settings
from tests.services.ingress.edge import Edge, running_edge

VALUES = {"name": "سارا", "contact": "sara@example.com", "message": "سلام"}


@pytest.fixture
async def edge(settings: Settings) -> AsyncGenerator[Edge]:
    async with running_edge(settings, with_parser=False) as made:
        yield made


@pytest.fixture
async def web(edge: Edge) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=edge.http) as client:
        yield client


async def test_json_is_answered_with_a_reference_and_its_repeat_the_same(edge: Edge, web: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "abc"}
    first = await web.post(edge.form_path, json=VALUES, headers=headers)
    again = await web.post(edge.form_path, json=VALUES, headers=headers)
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}", first.json()["reference"])
    assert edge.count("SELECT count(*) FROM record.facts WHERE topic = 'interactions'") == 1


async def test_the_page_posts_once_and_leads_to_thanks(edge: Edge, web: httpx.AsyncClient) -> None:
    page = await web.get(edge.form_path)
    assert "unsafe" not in page.headers["content-security-policy"]
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None
    posted = {**VALUES, "token": found.group(1), "language": "fa"}
    first, again = await web.post(edge.form_path, data=posted), await web.post(edge.form_path, data=posted)
    assert first.status_code == again.status_code == 303
    assert first.headers["location"] == again.headers["location"]
    thanks = await web.get(first.headers["location"])
    assert thanks.status_code == 200
    assert edge.count("SELECT count(*) FROM record.facts WHERE topic = 'interactions'") == 1


async def test_a_page_without_its_token_is_refused(edge: Edge, web: httpx.AsyncClient) -> None:
    answer = await web.post(edge.form_path, data={**VALUES, "token": "made-up"})
    assert answer.status_code == 403
    assert edge.count("SELECT count(*) FROM record.raw") == 0


async def test_fields_to_mend_are_named(edge: Edge, web: httpx.AsyncClient) -> None:
    answer = await web.post(edge.form_path, json={"name": "x", "contact": "nowhere", "message": ""})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"contact", "message"}
    assert all(error["detail"] for error in answer.json()["errors"])


async def test_a_machine_is_thanked_and_parked(edge: Edge, web: httpx.AsyncClient) -> None:
    answer = await web.post(edge.form_path, json={**VALUES, "website": "https://spam.example"})
    assert answer.status_code == 202
    assert edge.count("SELECT count(*) FROM record.facts WHERE topic = 'interactions'") == 0
    assert edge.count("SELECT count(*) FROM service.parked") == 1


async def test_files_come_with_a_form(edge: Edge, web: httpx.AsyncClient) -> None:
    page = await web.get(edge.form_path)
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found is not None
    values = {**VALUES, "token": found.group(1)}
    answer = await web.post(edge.form_path, data=values, files={"attachments": ("a.png", b"\x89PNG" + bytes(100_000))})
    assert answer.status_code == 303
    blobs = [path for path in (edge.settings.data / "blobs").rglob("*") if path.is_file()]
    assert len(blobs) == 1
    assert b"\x89PNG" not in blobs[0].read_bytes()


async def test_the_schema_says_what_json_must_hold(edge: Edge, web: httpx.AsyncClient) -> None:
    answer = await web.get(f"{edge.form_path}/schema")
    assert set(answer.json()["required"]) >= {"name", "contact", "message"}
