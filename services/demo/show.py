"""What the demo prints."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from services.demo.answer import Answered
from services.demo.plan import FormPost, Letter, Piece, Sms
from services.demo.tally import Line


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


def answers(out: Console, answered: Sequence[Answered]) -> None:
    """Where each answer went, why, and what became of it."""
    table = Table(title="Answers", title_justify="left")
    for name in ("to", "asked by", "answered by", "why", "what became of it"):
        table.add_column(name)
    for one in answered:
        why = _refusal(one) or one.way.get("hold_why") or one.way.get("why", "")
        became = one.outcome or one.message.get("state", "?")
        table.add_row(
            one.reply.who,
            one.reply.asked_by,
            one.way.get("channel", ""),
            why,
            became if one.is_right else f"{became}: WRONG, had to be {one.reply.outcome}",
        )
    out.print(table)


def _refusal(one: Answered) -> str:
    """Why not the way on which they asked."""
    ways: list[dict[str, str]] = one.problem.get("errors", [])
    return next((way["detail"] for way in ways if way["field"] == one.reply.asked_by), "")


def tallied(out: Console, lines: Sequence[Line]) -> bool:
    """The table of what became of answers; True when each number is as it must be."""
    table = Table(title="What became of the answers", title_justify="left")
    table.add_column("")
    for name in ("expected", "in the record", "seen outside"):
        table.add_column(name, justify="right")
    table.add_column("")
    for line in lines:
        found = ("" if number is None else str(number) for number in (line.recorded, line.outside))
        table.add_row(line.name, str(line.expected), *found, "ok" if line.is_right else "WRONG")
    out.print(table)
    return all(line.is_right for line in lines)
