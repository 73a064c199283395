"""Axe, the accessibility checker, run inside a page of ours."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.async_api import Page

from tests.house.tree import ROOT

_AXE: Final = ROOT / "tests" / "contracts" / "node_modules" / "axe-core" / "axe.min.js"
_TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@cache
def _script(path: Path) -> str:
    if not path.is_file():
        pytest.skip("NOT RUN: axe-core is not installed; `npm ci` in tests/contracts brings it (needs Node.js)")
    return path.read_text("utf-8")


async def findings(page: Page) -> list[str]:
    """What breaks WCAG 2.2 AA on it, as `rule: element`."""
    session = await page.context.new_cdp_session(page)
    # Not as an element of the page: its policy allows none.
    await session.send("Runtime.evaluate", {"expression": _script(_AXE)})
    found: dict[str, Any] = await page.evaluate("(tags) => axe.run({ runOnly: tags })", _TAGS)
    return [f"{one['id']}: {node['html'][:200]}" for one in found["violations"] for node in one["nodes"]]
