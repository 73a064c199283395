"""Sentences that agents may be told of their messages, collected from where the code says them."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.house.tree import ROOT

_SPOKEN: Final = re.compile(r"[A-Z{][^\n]* [^\n]*(?:\.|: )", re.DOTALL)


def of_messages() -> set[str]:
    """What became of a message: dispatch, whatever sends for a channel, and the read model that tells of reports.

    What stands in a sentence for something else is `{}`.
    """
    senders = [path for path in (ROOT / "channels").rglob("*.py") if _sends(path)]
    others = [ROOT / "channels" / "twilio_errors.py", ROOT / "projections" / "timeline" / "outgoing.py"]
    return {
        said
        for path in (*senders, *others, *(ROOT / "services" / "dispatch").rglob("*.py"))
        for said in _said(_tree(path))
    }


def of_answers() -> set[str]:
    """Why an answer, or what is done with its conversation, is refused."""
    folders = [ROOT / "services" / name for name in ("answering", "conversations")]
    return {said for folder in folders for path in folder.rglob("*.py") for said in _said(_tree(path))}


def _sends(path: Path) -> bool:
    return bool(re.search(r"\bRejected\(|\bRetryable\(|\bInDoubt\(", path.read_text("utf-8")))


def _tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text("utf-8"))


def _said(tree: ast.AST) -> Iterator[str]:
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        said = None if id(node) in skipped else _written(node)
        if said is not None and _SPOKEN.fullmatch(said):
            yield said


def _written(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if not isinstance(node, ast.JoinedStr):
        return None
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
