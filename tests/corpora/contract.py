"""What a scorer of a corpus gives back, and what all of them need to compare."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Case = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """One case: how many fields it asserts, and a sentence for each that we give otherwise."""

    asserted: int
    failures: tuple[str, ...]


Scorer = Callable[[Case, Path], Scored | None]
"""None: this case asserts nothing that the project speaks of."""


@dataclass(slots=True)
class Tally:
    """Counts the fields of one case while they are compared."""

    asserted: int = 0
    failures: list[str] = field(default_factory=list[str])

    def equal(self, name: str, expected: object, actual: object) -> None:
        self.holds(name, actual == expected, f"expected {expected!r:.300}, got {actual!r:.300}")

    def folded(self, name: str, expected: str | None, actual: str | None) -> None:
        """Texts that may differ in white space; nothing and "" are the same."""
        self.equal(name, fold(expected), fold(actual))

    def holds(self, name: str, is_true: bool, detail: str = "") -> None:
        self.asserted += 1
        if not is_true:
            self.failures.append(f"{name}: {detail}")

    def scored(self) -> Scored | None:
        return Scored(self.asserted, tuple(self.failures)) if self.asserted else None


def fold(text: str | None) -> str:
    """White space runs as one space, none at the ends."""
    return " ".join((text or "").split())


def input_bytes(case: Case, folder: Path) -> bytes:
    """The bytes of `input_file`, or those derived from another file (`{"derive": "crlf", "from": …}`)."""
    if "input_file" in case:
        return (folder / case["input_file"]).read_bytes()
    given = case["input"]
    raw = (folder / given["from"]).read_bytes()
    if given["derive"] != "crlf":
        raise ValueError(f"No way to derive {given['derive']!r}")
    return re.sub(rb"\r?\n", b"\r\n", raw)
