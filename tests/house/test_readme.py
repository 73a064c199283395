"""Every command in README, run as it stands against an installation that this test starts."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.house.readme import Block, blocks, fences, inline, targets
from tests.house.tree import ROOT

KINDS: Final = {"sh", "sh up", "sh make", "sh kcat", "text", "mermaid", "java"}
BLOCKS: Final = blocks()
COMMANDS: Final = [block for block in BLOCKS if block.info in {"sh", "sh kcat"}]
STARTS: Final = ("tamas", "up", "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0")
SERVERS: Final = re.compile(r"^(DATABASE_URL|RECORD_URL|VIEWS_URL|KEYS_URL|KAFKA_\w+|TAMAS_\w+)$")
READY_SECONDS: Final = 180


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where a newcomer types: `tamas up` runs on its `.tamas`."""
    place = tmp_path_factory.mktemp("readme")
    for parent in (place, *place.parents[:2]):
        parent.chmod(0o755)
    log = place / "up.log"
    with log.open("wb") as told:
        running = subprocess.Popen(
            STARTS, cwd=place, env=_environment(), stdout=subprocess.PIPE, stderr=told, start_new_session=True
        )
    assert running.stdout is not None
    ready = running.stdout.readline().decode()
    try:
        assert ready.startswith("ready http="), log.read_text("utf-8")
        yield place
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(60)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not SERVERS.match(name)}
    programs = Path(sys.executable).parent
    return {**kept, "PATH": f"{programs}:{kept['PATH']}", "NO_COLOR": "1"}


def _named(block: Block) -> str:
    return block.code.splitlines()[0][:60]


def test_every_block_says_what_it_is() -> None:
    assert [block.info for block in BLOCKS if block.info not in KINDS] == []
    assert fences() == 2 * len(BLOCKS) + 2 * sum(bool(block.printed) for block in BLOCKS)
    assert COMMANDS


def test_every_command_that_is_named_is_run() -> None:
    run = "\n".join(block.code for block in BLOCKS if block.info.startswith("sh"))
    assert sorted(command for command in inline() if command not in run) == []


def test_what_starts_it_is_what_the_test_starts() -> None:
    (block,) = [block for block in BLOCKS if block.info == "sh up"]
    assert tuple(block.code.split()) == STARTS[:2]


@pytest.mark.parametrize("words", [words for block in BLOCKS if block.info == "sh make" for words in targets(block)])
def test_every_target_is_there(words: list[str]) -> None:
    found = subprocess.run(["make", "-n", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr


@pytest.mark.timeout(READY_SECONDS + 60)
@pytest.mark.parametrize("block", COMMANDS, ids=_named)
def test_every_command_runs(block: Block, folder: Path) -> None:
    needed = block.info.removeprefix("sh").strip()
    if needed and shutil.which(needed) is None:
        pytest.skip(f"{needed} is not installed")
    command = ["bash", "-euo", "pipefail", "-c", block.code]
    found = subprocess.run(
        command, cwd=folder, env=_environment(), capture_output=True, text=True, check=False, timeout=60
    )
    output = found.stdout + found.stderr
    assert found.returncode == 0, output
    assert block.missing_from(output) == [], output
