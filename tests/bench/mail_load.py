"""A mail server that sends at a steady rate, in a process of its own. Started by `MailLoad`."""

import smtplib
import subprocess
import sys
import time
from typing import Self

from tests.bench.letters import letters
from tests.bench.stand import MAILBOX


class MailLoad:
    """Sends from `with` to its end."""

    def __init__(self, smtp: str, rate: float, seconds: float) -> None:
        """`rate` mails of 50 KB a second."""
        command = [sys.executable, "-m", "tests.bench.mail_load", smtp, str(rate), str(seconds)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "written\n"

    def __enter__(self) -> Self:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait() == 0, "a mail was refused"


def _main(smtp: str, rate: float, seconds: float) -> None:
    given = letters(int(rate * seconds), time.time_ns(), MAILBOX)
    host, _, port = smtp.rpartition(":")
    with smtplib.SMTP(host, int(port)) as door:
        door.ehlo("mx.example.com")
        print("written", flush=True)
        sys.stdin.readline()
        began = time.perf_counter()
        for number, raw in enumerate(given):
            time.sleep(max(0.0, began + number / rate - time.perf_counter()))
            door.sendmail("customer@example.com", [MAILBOX], raw)


if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]), float(sys.argv[3]))
