import pytest

from services.settings import Settings
from services.tenancy.store import Tenancy
from services.tenancy.tenant import RegisterTenant
from tests.services.ops.cli import Tamas


@pytest.fixture
def tamas(settings: Settings) -> Tamas:
    with Tenancy(settings) as tenancy:
        tenancy.add_tenant(RegisterTenant("shop", "Shop"))
    return Tamas(settings)


def test_what_is_put_on_file_is_shown(tamas: Tamas) -> None:
    assert tamas("prefer", "0912 123 4567", "--json").row()["channels"] == []
    put = tamas(
        *("prefer", "0912 123 4567", "sms", "email", "--quiet", "22:00-08:00", "--language", "fa"),
        *("--time-zone", "Asia/Tehran", "--allow", "email", "--forbid", "voice", "--json"),
    )
    assert put.code == 0, put.err
    shown = tamas("prefer", "tel:+989121234567", "--json").row()
    assert shown == put.row()
    assert (shown["address"], shown["channels"], shown["source"]) == ("tel:+989121234567", ["sms", "email"], "command")
    assert shown["quiet_hours"] == {"begins": "22:00", "ends": "08:00"}
    assert {one["channel"]: one["granted"] for one in shown["consents"]} == {"email": True, "voice": False}


def test_it_is_in_the_record(tamas: Tamas) -> None:
    position = tamas("prefer", "0912 123 4567", "sms", "--json").row()["position"]
    (event,) = tamas("tail", "customers", "--from", "beginning", "-n", "1", "--json").rows()
    assert position > 0
    assert "preference.filed" in str(event["type"])
    assert tamas("record", "check").code == 0


def test_an_erased_address_prefers_nothing(tamas: Tamas) -> None:
    tamas("prefer", "0912 123 4567", "sms", "--quiet", "22:00-08:00")
    assert tamas("erase", "0912 123 4567").code == 0
    shown = tamas("prefer", "0912 123 4567", "--json").row()
    assert (shown["channels"], shown["quiet_hours"]) == ([], None)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nobody", "sms"), "neither a number"),
        (("0912 123 4567", "SMS!"), "channels"),
        (("0912 123 4567", "sms", "--quiet", "late"), "quiet_hours"),
        (("0912 123 4567", "sms", "--time-zone", "Mars/Olympus"), "no time zone"),
        (("0912 123 4567", "sms", "--quiet", "08:00-08:00"), "never end"),
        (("0912 123 4567", "sms", "--tenant", "nowhere"), "no tenant 'nowhere'"),
    ],
)
def test_what_does_not_fit_is_told(tamas: Tamas, words: tuple[str, ...], told: str) -> None:
    done = tamas("prefer", *words)
    assert done.code != 0
    assert told in done.err
