import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx

_DEMO = [sys.executable, "-m", "services", "demo"]
_ANSWERS = {
    "asked": 10,
    "handed off": 8,
    "delivered": 3,
    "failed": 1,
    "held for quiet hours": 1,
    "by fallback": 1,
    "in doubt": 1,
    "sent twice": 0,
}


def test_the_demo_counts_right_and_ends_by_itself(tmp_path: Path) -> None:
    ran = subprocess.run(
        [*_DEMO, "--exit"],
        env={**os.environ, "TAMAS_DATA": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WRONG" not in ran.stdout
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in ran.stdout.splitlines()]
    assert {row[0]: row[1:] for row in rows if len(row) == 5 and row[0] in _ANSWERS} == {
        name: [str(number)] * 3 + ["ok"] for name, number in _ANSWERS.items()
    }
    assert "http://127.0.0.1:" in ran.stderr.partition("The desk: ")[2]
    assert not list(tmp_path.glob("demo-*"))


def test_who_is_named_may_sign_in_while_it_stays(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*_DEMO, "--stay"],
        env={**os.environ, "TAMAS_DATA": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        try:
            assert running.stderr is not None
            said = ""
            while "Ctrl-C ends it" not in said:
                line = running.stderr.readline()
                assert line, said
                said += line
            desk, login, password = _desk(said)
            with httpx.Client(follow_redirects=True) as browser:
                page = browser.get(desk)
                assert page.url.path == "/desk/sign-in"
                csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
                assert csrf is not None
                told = {"login": login, "password": password, "csrf": csrf[1]}
                headers = {"Origin": str(page.url.join("/")).rstrip("/")}
                signed_in = browser.post(f"{desk}/sign-in", data=told, headers=headers)
            assert (signed_in.status_code, signed_in.url.path) == (200, "/desk"), signed_in.text
        finally:
            running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    assert not list(tmp_path.glob("demo-*"))


def _desk(said: str) -> tuple[str, str, str]:
    found = re.search(r"The desk: (\S+)\n\s+sign in as (\S+) with the password (\S+)\n", said)
    assert found is not None, said
    desk, login, password = found.groups()
    return desk, login, password
