"""Numbers of every region as people write them. We find none inside running text, so `find` is skipped."""

from pathlib import Path

from channels.phone import e164
from tests.corpora.contract import Case, Scored, Tally


def score(case: Case, folder: Path) -> Scored | None:  # noqa: ARG001
    given, expect = case["input"], case["expect"]
    if "number" not in given:
        return None
    found = e164(given["number"], given["region"])
    tally = Tally()
    if "error" in expect or not expect["possible"]:
        tally.equal("e164", None, found)
    elif expect["valid"]:
        tally.equal("e164", expect["e164"], found)
    else:  # possible, but of no range that is given out: taken or not, it must not become another number
        tally.holds("e164", found in (None, expect["e164"]), f"got {found!r}")
    return tally.scored()
