"""Whoever asks is killed in the middle of the save: nothing of it is there, or all of it, and once."""

import asyncio
import signal
from uuid import uuid4

import psycopg
import pytest

from tests.services.answering import process
from tests.services.answering.shop import Shop, sms
from tests.services.conversations.deciding import execute, rows, until

_WAITS = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'"
_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'"


@pytest.mark.parametrize("is_cut", [True, False])
async def test_decided_killed_before_or_in_the_save_is_asked_again_once(shop: Shop, *, is_cut: bool) -> None:
    of, command = await shop.asked_by(sms("S1")), uuid4()
    with psycopg.connect(shop.settings.record_url) as holder:
        # The save waits for the record's lock, with its commit sent behind it.
        holder.execute("SELECT pg_advisory_xact_lock(499850764659)")
        one = await asyncio.to_thread(process.start, shop.settings, of, command)
        await until(lambda: rows(shop.settings, _WAITS) == [(1,)])
        one.send_signal(signal.SIGKILL)
        one.wait()
        if is_cut:
            execute(shop.settings, _CUT)
            await until(lambda: rows(shop.settings, _WAITS) == [(0,)])
        assert shop.facts("outbound") == []
    await until(lambda: is_cut or shop.types("outbound") == ["asked", "resolved"])
    asked = await shop.ask(of, command_id=command, seen="waiting")
    assert (shop.types("outbound"), shop.types("cases")) == (["asked", "resolved"], ["opened", "answered"])
    assert rows(shop.settings, "SELECT max(position) FROM record.decisions") == [(asked.position,)]
