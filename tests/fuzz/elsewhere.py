"""`python -m tests.fuzz.elsewhere FILE…`: read what a hunt saved, under another hash seed, locale and time zone.

The facts have to be the same on every machine: a request is read again long after it came.
"""

import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from channels.contract import InboundRequest
from tests.channels.samples import channel
from tests.fuzz.judge import digest
from tests.fuzz.shrink import keep

FAULT = "in a process with another time zone and hash seed it is not the same"


def differing(files: Sequence[Path]) -> list[str]:
    """The files of the requests that are read otherwise there."""
    environment = os.environ | {"PYTHONHASHSEED": "20261125", "TZ": "Asia/Tehran", "LC_ALL": "C", "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "tests.fuzz.elsewhere", *map(str, files)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in {0, 1}:
        raise RuntimeError(done.stderr)
    return done.stdout.split()


def main(files: Sequence[str]) -> int:
    logging.disable()
    found: list[Path] = []
    for file in files:
        saved: list[tuple[str, InboundRequest, str]] = pickle.loads(Path(file).read_bytes())  # noqa: S301 - our own
        bad = next(((name, request) for name, request, told in saved if digest(channel(name), request) != told), None)
        if bad is not None:
            found.append(keep(*bad, FAULT, ""))
    sys.stdout.write("".join(f"{path}\n" for path in found))
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
