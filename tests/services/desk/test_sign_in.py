"""Who gets in, who does not, and what a page of another sign-in may do."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
import pytest

from services.desk.users import add_user, change_password, disable_user, users
from services.record.errors import Refused
from services.settings import Settings
from tests.services.api.house import ALI, with_file
from tests.services.desk.house import PASSWORD, Desk, desk_of
from tests.services.ops.cli import Tamas


@asynccontextmanager
async def _client(desk: Desk) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=desk.url.removesuffix("/desk"), timeout=30) as client:
        yield client


async def _sign_in(client: httpx.AsyncClient, login: str, password: str = PASSWORD) -> httpx.Response:
    page = await client.get("/desk/sign-in")
    return await client.post("/desk/sign-in", data={"login": login, "password": password, "csrf": _field(page)})


def _field(page: httpx.Response) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert found is not None, page.text
    return found[1]


async def test_who_is_let_in_and_who_is_not(settings: Settings) -> None:
    async with desk_of(settings) as desk, _client(desk) as client, _client(desk) as other:
        assert (await client.get("/desk")).headers["location"] == "/desk/sign-in"
        for login, password in (("sara", "wrong password"), ("nobody", PASSWORD)):
            refused = await _sign_in(client, login, password)
            assert refused.status_code == 401
            assert "do not belong together" in refused.text
        assert (await client.post("/desk/sign-in", data={"login": "sara", "password": PASSWORD})).status_code == 403
        signed = await _sign_in(client, "SARA ")
        assert (signed.status_code, signed.headers["location"]) == (303, "/desk")
        cookie = next(one for one in signed.headers.get_list("set-cookie") if one.startswith("tamas_desk="))
        assert {"HttpOnly", "SameSite=lax", "Path=/desk"} <= set(cookie.split("; "))
        page = await client.get("/desk")
        assert "Sara Karimi" in page.text
        assert page.headers["cache-control"] == "no-store"
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["content-security-policy"].startswith("default-src 'none'")
        secret = client.cookies["tamas_desk"]
        await client.post("/desk/sign-out", data={"csrf": _field(page)})
        other.cookies.set("tamas_desk", secret, path="/desk")
        assert (await other.get("/desk")).status_code == 303


async def test_guessing_is_slowed_down(settings: Settings) -> None:
    async with desk_of(settings) as desk, _client(desk) as client:
        answers = [(await _sign_in(client, "sara", f"guess number {number}")).status_code for number in range(6)]
        assert answers == [401] * 5 + [429]
        assert (await _sign_in(client, "sara")).status_code == 429
        assert (await _sign_in(client, "omid")).status_code == 303


async def test_a_change_needs_the_token_of_its_own_page(settings: Settings) -> None:
    async with desk_of(settings) as desk, _client(desk) as client, _client(desk) as stranger:
        await desk.house.say("hello")
        await desk.caught_up()
        of = (await desk.house.get("/api/v1/conversations")).json()["items"][0]["conversation_id"]
        await _sign_in(client, "sara")
        await _sign_in(stranger, "hana")
        own, theirs = _field(await client.get("/desk")), _field(await stranger.get("/desk"))
        path, command = f"/desk/conversations/{of}/take", {"command": str(uuid4())}
        for token in ({}, {"csrf": theirs}, {"csrf": ""}):
            assert (await client.post(path, data={**command, **token})).status_code == 403
        assert (await stranger.get(f"/desk/conversations/{of}")).status_code == 404
        refused = await stranger.post(path, data={**command, "csrf": theirs})
        assert (refused.status_code, refused.text) == (409, "There is no such conversation.")
        taken = await client.post(path, data={**command, "csrf": own})
        again = await client.post(path, data={**command, "csrf": own})
        assert (taken.status_code, again.status_code) == (200, 200)
        assert "You have it" in again.text
        assert (await client.get(f"/desk/conversations/{of}/nonsense")).status_code == 405


async def test_who_is_disabled_is_out(settings: Settings) -> None:
    async with desk_of(settings) as desk, _client(desk) as client:
        await _sign_in(client, "sara")
        disable_user(settings.record_url, "shop", "sara")
        with pytest.raises(Refused):
            disable_user(settings.record_url, "shop", "hana")
        assert (await _sign_in(client, "sara")).status_code == 401
        fresh = httpx.AsyncClient(base_url=desk.url.removesuffix("/desk"), cookies=client.cookies)
        # So long a process remembers who somebody is.
        await asyncio.sleep(2.5)
        assert (await fresh.get("/desk")).status_code == 303
        await fresh.aclose()


async def test_who_is_given_another_password_signs_in_again_with_that(settings: Settings) -> None:
    async with desk_of(settings) as desk, _client(desk) as client:
        await _sign_in(client, "sara")
        change_password(settings.record_url, "shop", "sara", "another password")
        with pytest.raises(Refused):
            change_password(settings.record_url, "shop", "sara", "short")
        with pytest.raises(Refused):
            change_password(settings.record_url, "rival", "sara", "another password")
        await asyncio.sleep(2.5)
        fresh = httpx.AsyncClient(base_url=desk.url.removesuffix("/desk"), cookies=client.cookies)
        assert (await fresh.get("/desk")).status_code == 303
        await fresh.aclose()
        assert (await _sign_in(client, "sara")).status_code == 401
        assert (await _sign_in(client, "sara", "another password")).status_code == 303


async def test_what_was_attached_is_saved_and_never_shown_as_a_page(settings: Settings) -> None:
    async with desk_of(settings) as desk, _client(desk) as client:
        await desk.house.hear([with_file("shop", "SM1", "page.html", b"<script>alert(1)</script>", "text/html")])
        await desk.caught_up()
        await _sign_in(client, "sara")
        item = (await desk.house.get("/api/v1/timeline", address=ALI)).json()["items"][0]
        path = f"/desk/files/{item['interaction_id']}/{item['attachments'][0]['attachment_id']}"
        found = await client.get(path)
        assert (found.status_code, found.content) == (200, b"<script>alert(1)</script>")
        assert found.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in found.headers["content-security-policy"]
        assert (await client.get(f"/desk/files/{item['interaction_id']}/{uuid4()}")).status_code == 404


def test_people_are_added_listed_and_disabled_by_command(settings: Settings) -> None:
    tamas = Tamas(settings)
    tamas("tenant", "add", "shop", "--name", "Shop")
    drawn = tamas("user", "add", "Sara", "--name", "Sara Karimi")
    assert (drawn.code, len(drawn.out.strip())) == (0, 16)
    tamas.environment["SARAS"] = "a password of her own"
    assert tamas("user", "add", "omid", "--name", "Omid", "--language", "fa", "--password-from", "env:SARAS").out == ""
    assert tamas("user", "add", "sara", "--name", "Other").code == 1
    tamas.environment["SARAS"] = "short"
    assert tamas("user", "add", "reza", "--name", "Reza", "--password-from", "env:SARAS").code == 1
    assert tamas("user", "add", "reza", "--name", "Reza", "--role", "king").code == 1
    assert tamas("user", "disable", "omid").code == 0
    assert tamas("user", "password", "sara").out not in ("", drawn.out)
    assert tamas("user", "password", "hana").code == 1
    found = {one.login: (one.language, one.disabled_at is None) for one in users(settings.record_url, "shop")}
    assert found == {"sara": ("en", True), "omid": ("fa", False)}
    assert "Sara Karimi" in tamas("user", "list").out
    with pytest.raises(Refused):
        add_user(settings.record_url, "nobodys", "x", "X", PASSWORD)
