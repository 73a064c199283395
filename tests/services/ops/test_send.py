"""`tamas send` and `tamas explain`: with the API and without it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from services.settings import Settings
from tests.services.api.house import ALI, House, message
from tests.services.api.server import running
from tests.services.conversations.deciding import caught_up, deciding, rows
from tests.services.ops.cli import Tamas


@dataclass(frozen=True, slots=True)
class Place:
    """The command on the database, and the same with a token for the API."""

    near: Tamas
    far: Tamas
    settings: Settings


async def _prepare(house: House) -> None:
    async with deciding(house.settings):
        await house.hear([message("shop", "SM1", "Where is it?", at=datetime.now(UTC))])
        await caught_up(house.settings)
    await house.caught_up()


@pytest.fixture
def place(settings: Settings) -> Iterator[Place]:
    with running(settings, _prepare) as (url, house, _):
        near = Tamas(settings, TAMAS_TENANT="shop", TAMAS_API_URL=url)
        near.environment["TAMAS_API_TOKEN"] = None
        yield Place(near, Tamas(None, TAMAS_API_TOKEN=house.secrets["shop"]["agent"], TAMAS_API_URL=url), settings)


def test_sent_and_explained_the_same_from_both(place: Place) -> None:
    for tamas in (place.near, place.far):
        done = tamas("send", "0912 123 4567", "--text", "Soon!", "--via", "sms", "--reason", "as asked", "--json")
        assert done.code == 0, done.err
        row = done.row()
        assert (row["resolution"]["channel"], row["resolution"]["address"]) == ("sms/twilio", ALI)
        near = place.near("explain", row["message_id"], "--json").row()
        assert near == place.far("explain", row["message_id"], "--json").row()
        assert (near["text"], near["state"], near["resolution"]) == ("Soon!", "queued", row["resolution"])
        assert near["resolution"]["why"] == "The agent chose SMS: as asked"
    assert rows(place.settings, "SELECT count(*) FROM record.decisions WHERE topic = 'outbound'") == [(4,)]


def test_for_people(place: Place) -> None:
    sent = place.near("send", ALI, "--text", "Soon!")
    lines = dict(line.split(": ", 1) for line in sent.out.splitlines())
    assert (lines["channel"], lines["because"]) == ("sms/twilio", "The customer asked by SMS.")
    told = place.far("explain", lines["message_id"]).out
    assert "state: queued" in told
    assert "because: The customer asked by SMS." in told


def test_where_there_is_no_way_each_says_why_not(place: Place) -> None:
    for tamas in (place.near, place.far):
        done = tamas("send", ALI, "--text", "Soon!", "--via", "email", "--reason", "as asked")
        assert (done.code, done.out) == (1, "")
        assert "There is no way to answer this customer." in done.err
        assert "email: We have no inbox for mail." in done.err


def test_what_does_not_fit_is_told(place: Place) -> None:
    for tamas in (place.near, place.far):
        assert tamas("send", ALI, "--text", "x", "--via", "sms").code == 2
        nobody = tamas("send", "tel:+989120000000", "--text", "x")
        assert (nobody.code, "no conversation" in nobody.err) == (1, True)
        assert tamas("explain", str(uuid4())).code == 1
        assert tamas("explain", "seven").code == 2
