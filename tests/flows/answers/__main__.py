"""`python -m tests.flows.answers --answers N [--seed N]`: answers to SMS and mail while dispatch is killed at random.

0 when none was sent twice and none lost; 1 with a sentence when one was.
"""

import argparse
import logging
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import structlog

from tests.flows.answers.storm import Report, Storm, weathered

_FEWEST = 60
_GOOD = "none sent twice, none lost, order kept, every report taken; read models equal a rebuild."


def main(words: list[str]) -> int:
    """See above; 2 for arguments that mean nothing."""
    parser = argparse.ArgumentParser(prog="python -m tests.flows.answers")
    parser.add_argument("--answers", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args(words)
    if given.answers < _FEWEST:
        parser.error(f"fewer than {_FEWEST} answers are no storm")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    print(f"{given.answers} answers, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="tamas-answers-"))
    # PostgreSQL runs under another user where we are root.
    folder.chmod(0o755)
    try:
        report = weathered(Storm(seed, given.answers), folder / "up", lambda line: print(line, flush=True))
    except AssertionError as wrong:
        print(f"With seed {seed}: {wrong}\nIts servers' data and logs are in {folder}", file=sys.stderr)
        return 1
    print(*_lines(report), sep="\n")
    shutil.rmtree(folder)
    return 0


def _lines(report: Report) -> list[str]:
    ended = ", ".join(f"{count} {state}" for state, count in report.ended.most_common())
    met = ", ".join(f"{count} {mode}" for mode, count in report.met.most_common())
    kills = ", ".join(f"{role} killed {count} times" for role, count in report.kills.items())
    return [
        f"Messages: {ended}. The provider's answers: {met}. {kills}; {report.repeats} answers were posted again.",
        f"{report.stormy_seconds:.0f} s of storm, {report.seconds:.0f} s in all: {_GOOD}",
    ]


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
