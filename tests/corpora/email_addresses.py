"""Mail addresses: which are some, and how they are spelt once. We fold the case of the whole address."""

from pathlib import Path

from channels.phone import mailbox
from tests.corpora.contract import Case, Scored, Tally


def score(case: Case, folder: Path) -> Scored | None:  # noqa: ARG001
    expect = case["expect"]
    if expect["valid"] is None:
        return None
    found = mailbox(case["input"]["address"])
    tally = Tally()
    tally.equal("valid", expect["valid"], found is not None)
    if "normalized" in expect:
        tally.equal("normalized", expect["normalized"].lower(), found)
    return tally.scored()
