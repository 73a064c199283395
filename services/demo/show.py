"""What the demo prints."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from services.demo.plan import FormPost, Letter, Piece, Sms


def console() -> Console:
    """Standard output, as wide as the terminal or 110 columns."""
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 110)


def label(pieces: Sequence[Piece]) -> str:
    """How many of which kind."""
    kinds = Counter(type(piece) for piece in pieces)
    return f"{kinds[Sms]} SMS posts, {kinds[Letter]} mails, {kinds[FormPost]} forms"


def numbers(out: Console, wanted: Mapping[str, int], found: Mapping[str, int]) -> bool:
    """The table of numbers; True when each is as it must be."""
    table = Table(title="What became of it", title_justify="left")
    for name, justify in (("", "left"), ("expected", "right"), ("found", "right"), ("", "left")):
        table.add_column(name, justify="left" if justify == "left" else "right")
    for name, number in wanted.items():
        is_right = found.get(name) == number
        table.add_row(name, str(number), str(found.get(name, "?")), "ok" if is_right else "WRONG")
    out.print(table)
    return all(found.get(name) == number for name, number in wanted.items())


def customer(out: Console, address: str, items: Sequence[Mapping[str, Any]]) -> None:
    """One customer's timeline, newest first."""
    table = Table(title=f"The timeline of {address}", title_justify="left")
    for name in ("when", "", "channel", "reference", "subject", "text"):
        table.add_column(name)
    for item in items:
        text = (item.get("text") or "").replace("\n", " ")
        files = len(item.get("attachments") or ())
        table.add_row(
            str(item["occurred_at"])[:16].replace("T", " "),
            "→" if item["direction"] == "in" else "←",
            f"{item['channel']}",
            item["reference"],
            (item.get("subject") or "")[:24],
            f"{text[:40]}{f' [{files} files]' if files else ''}",
        )
    out.print(table)
