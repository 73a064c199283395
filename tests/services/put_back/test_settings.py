"""Tenants and inboxes that were added after the copy: their decisions come back in their places."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from services.record.identity import adopt
from services.settings import Settings
from services.tenancy.inbox import OpenInbox
from services.tenancy.store import InboxView, NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.put_back.house import House, housed

NEW = NewInbox("sms/twilio", "support", "+982191000000", {}, {"auth_token": "a token of twilio's for tests"})


def _decisions(house: House) -> Sequence[tuple[object, ...]]:
    return house.run(
        "SELECT originator_id, originator_version, type, event_id, state FROM record.decisions ORDER BY position"
    )


def _opened(settings: Settings, tenants: Sequence[str]) -> list[InboxView]:
    with Tenancy(settings) as tenancy:
        made: list[InboxView] = []
        for slug in tenants:
            tenancy.add_tenant(RegisterTenant(slug, slug.title()))
            made.append(tenancy.add_inbox(slug, NEW))
            tenancy.add_inbox(slug, NewInbox("forms/web", "form"))
        return made


async def test_what_was_decided_comes_back_in_its_place(wired: Settings) -> None:
    async with housed(wired) as house:
        first, second = _opened(wired, ["acme", "other"])
        with Tenancy(wired) as tenancy:
            tenancy.rotate("acme", first.inbox.inbox_id, timedelta(hours=1))
            tenancy.disable("other", second.inbox.inbox_id)
        await house.publish()
        before = _decisions(house)
        house.lose(2)
        tally = await house.put_back()
        line = tally.topics["settings"]
        assert (line.read, line.already_there, line.put_back, dict(line.left_out)) == (6, 0, 6, {})
        assert _decisions(house) == before
        assert {first.inbox.inbox_id, second.inbox.inbox_id} - tally.settled == set()
        again = (await house.put_back()).topics["settings"]
        assert (again.already_there, again.put_back) == (6, 0)
        assert await house.is_whole()
        with Tenancy(wired) as tenancy:
            view = tenancy.view("acme", first.inbox.inbox_id)
            assert (view.disabled, view.key is None) == (False, False)
            assert tenancy.view("other", second.inbox.inbox_id).disabled


async def test_what_was_decided_anew_meanwhile_stays(wired: Settings) -> None:
    async with housed(wired) as house:
        first, _ = _opened(wired, ["acme", "other"])
        with Tenancy(wired) as tenancy:
            tenancy.change_inbox("acme", first.inbox.inbox_id, {}, {"auth_token": "another token, also long"})
        await house.publish()
        house.lose(2)
        # Somebody opens the number again, and the other tenant under another name, before the wire is asked.
        adopt(wired.record_url)
        with Tenancy(wired) as tenancy:
            tenancy.disable("acme", first.inbox.inbox_id)
            tenancy.add_tenant(RegisterTenant("other", "Another name"))
            anew = tenancy.add_inbox("other", NEW)
        line = (await house.put_back()).topics["settings"]
        assert (line.read, line.put_back) == (5, 2)
        assert dict(line.left_out) == {
            "something else was decided in its place, or what came before it is lost": 2,
            "another inbox was opened in its place": 1,
        }
        with Tenancy(wired) as tenancy:
            register = tenancy.register()
            assert register.tenants["other"].name == "Another name"
            assert _open(register.of("other"), "support") == [anew.inbox.inbox_id]
            assert _open(register.of("acme"), "support") == []
        assert await house.is_whole()


def _open(found: Iterable[tuple[str, OpenInbox, bool]], name: str) -> list[UUID]:
    return [inbox.inbox_id for _, inbox, disabled in found if inbox.name == name and not disabled]
