import psycopg

from schemas.setting import TenantRegistered
from services.ops.exits import CONFIGURATION, NO, USAGE
from services.record.decisions import Decided, Decisions
from services.settings import Settings
from services.tenancy.tenant import tenant_stream
from tests.services.ops.cli import Tamas


def _tenant(settings: Settings) -> None:
    fact = TenantRegistered(
        tenant="acme", name="n", region="IR", time_zone="Asia/Tehran", language="fa", calendar="persian"
    )
    decisions = Decisions(settings.record_url)
    decisions.save([Decided(tenant_stream("acme"), 1, "acme", fact)])
    decisions.close()


def test_check_says_what_it_found_and_adopt_mends_it(settings: Settings) -> None:
    tamas = Tamas(settings)
    assert tamas("record", "check").code == 0
    with psycopg.connect(settings.record_url, autocommit=True) as connection:
        connection.execute("UPDATE record.identity SET timeline = 9")
    found = tamas("record", "check", "--all", "--json")
    assert found.code == NO
    assert [row["check"] for row in found.rows() if not row["ok"]] == ["place"]
    assert tamas("record", "adopt", "--json").row()["first_position"] == 1 << 40
    assert tamas("record", "check").code == 0
    again = tamas("record", "adopt")
    assert (again.code, again.out) == (0, "")
    assert tamas("record", "adopt", "--anyway", "--above", str(5 << 40), "--json").row()["first_position"] == 6 << 40


def test_commands_that_need_a_database_say_so() -> None:
    for words in (("record", "check"), ("record", "adopt"), ("erase", "tel:+989121234567")):
        assert Tamas(None, TAMAS_DATA="/nonexistent")(*words).code == CONFIGURATION


def test_an_address_is_read_as_people_write_it(settings: Settings) -> None:
    _tenant(settings)
    tamas = Tamas(settings)
    unknown = tamas("erase", "0912 123 4567")
    assert (unknown.code, unknown.err.strip()) == (NO, "Nothing is kept under this address.")
    assert tamas("erase", "nobody at all").code == USAGE
