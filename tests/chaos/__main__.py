"""`python -m tests.chaos --contacts N [--seed N] [--brokers 3]`: rough weather over a whole installation.

0 when nothing was lost, doubled, out of order or left over; 1 with a sentence when something was.
"""

import argparse
import logging
import secrets
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import structlog

from tests.brokers import COPIES, Brokers
from tests.chaos.plan import planned
from tests.chaos.storm import Report, Storm, named, roles_of, weathered
from tests.flows.doors.opened import FIVE_KINDS, KEPT

_NAMES = {"sms": "sms/twilio", "mail": "email/smtp", "chat": "chat/widget", "form": "forms/web", "call": "voice/twilio"}
_FEWEST = 50
_GOOD = (
    "none lost, none doubled, order kept on record, Kafka and timeline; "
    "the timeline equals a rebuild, nothing is parked, the spool is empty."
)


def main(words: list[str]) -> int:
    """See above; 2 for arguments that mean nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--contacts", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--brokers", type=int, choices=(1, COPIES), default=1)
    given = parser.parse_args(words)
    if given.contacts < _FEWEST:
        parser.error(f"fewer than {_FEWEST} contacts are no storm")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    print(f"{given.contacts} contacts, {given.brokers} broker(s), seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="tamas-chaos-"))
    # PostgreSQL runs under another user where we are root.
    folder.chmod(0o755)
    with ExitStack() as stack:
        brokers = None
        if given.brokers == COPIES:
            brokers = Brokers(folder / "brokers")
            stack.callback(brokers.stop)
        storm = Storm(seed, given.contacts, planned(seed, given.contacts, roles_of(brokers)))
        try:
            report = weathered(storm, folder / "up", lambda line: print(line, flush=True), brokers)
        except AssertionError as wrong:
            print(f"With seed {seed}: {wrong}\nIts servers' data and logs are in {folder}", file=sys.stderr)
            return 1
    print(*_table(report), sep="\n")
    shutil.rmtree(folder)
    return 0


def _table(report: Report) -> list[str]:
    lines = [f"{'':14} {'contacts':>8} {'kept':>8} {'come again':>10} {'no answer':>9}"]
    for door in FIVE_KINDS:
        answers = {status: times for (found, status), times in report.answers.items() if found == door}
        kept = sum(times for status, times in answers.items() if status in KEPT)
        broken = answers.get(0, 0)
        again = sum(answers.values()) - kept - broken
        lines.append(f"{_NAMES[door]:14} {report.contacts[door]:8} {kept:8} {again:10} {broken:9}")
    lines += ["", f"{'':14} {'SIGKILL':>8} {'SIGSTOP':>8}"]
    for role in dict.fromkeys(role for role, _ in report.blows):
        lines.append(f"{named(role):14} {report.blows[role, 'SIGKILL']:8} {report.blows[role, 'SIGSTOP']:8}")
    stormy, settled = report.stormy_seconds, report.settled_seconds
    return [*lines, "", f"{report.facts} facts after {stormy:.0f} s of storm and {settled:.1f} s of calm: {_GOOD}"]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
