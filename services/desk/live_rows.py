"""What lists and open conversations are told when something changed."""

from collections.abc import Sequence
from typing import Any

from services.desk.changes import Changed
from services.desk.hub import Shown
from services.desk.rows import Row, Rows
from services.desk.templating import render
from services.desk.users import Language


class LiveRows:
    """Shows changes to the hub. When the read models are late, it tells what to ask for instead."""

    def __init__(self, rows: Rows) -> None:
        """Where rows are."""
        self._rows = rows

    async def __call__(self, tenant: str, changed: Changed) -> Sequence[Shown]:
        """A row for each conversation, then the addresses that had something. Raises `NotServed`."""
        if changed.is_late:
            return [_late(changed)]
        rows = await self._rows.some(tenant, changed.conversations)
        shown: list[Shown] = [_row(row) for row in rows]
        if changed.addresses:
            shown.append(_addresses(changed))
        return shown


def _row(row: Row) -> Shown:
    def shown(language: Language) -> dict[str, Any]:
        return {"kind": "row", **row.told(), "html": render("row.html.jinja", language, row=row)}

    return shown


def _addresses(changed: Changed) -> Shown:
    told = {"kind": "addresses", "ids": sorted(map(str, changed.addresses)), "position": changed.position}
    return lambda _: told


def _late(changed: Changed) -> Shown:
    told = {"kind": "late", "ids": sorted(map(str, changed.conversations)), "position": changed.position}
    return lambda _: told
