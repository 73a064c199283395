"""`tamas demo`: an installation of its own, real traffic through its front door, every number checked."""

import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer
from rich.console import Console

from services.demo import count, show
from services.demo.answer import ask, file_preferences, settle
from services.demo.house import House, add_agent, set_up
from services.demo.outside import Outside, outside
from services.demo.plan import ADDRESSES, Piece, plan
from services.demo.replies import replies
from services.demo.send import Gateways, expected
from services.demo.tally import tally
from services.demo.visitor import visiting
from services.ops.output import say
from services.ops.up import Installation, start
from services.settings import Settings

_SHOWN: Final = "mailto:sara@example.com"


def demo(
    *,
    stay: Annotated[bool | None, typer.Option("--stay/--exit", help="Default: stay on a terminal.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed sends the same traffic.")] = 1,
) -> None:
    """Start, send, count, answer, count again; exit code 1 when a number is wrong."""
    began = time.monotonic()
    base = Settings().data.absolute()
    base.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="demo-", dir=base))
    given = Settings(data=data, http_listen="127.0.0.1:0", smtp_listen="127.0.0.1:0")
    running: Installation | None = None
    try:
        running = start(given, say)
        with outside(secrets.token_hex(16)) as there:
            is_right = _run(running, seed, stay, there)
            say(f"Done in {time.monotonic() - began:.0f} seconds.")
            if is_right and _stays(stay):
                _stay(running)
    finally:
        if running is not None:
            running.stop()
        shutil.rmtree(data, ignore_errors=True)
    if not is_right:
        say("A number is wrong: this should not happen. The table says which.")
        raise typer.Exit(1)


def _run(running: Installation, seed: int, stay: bool | None, there: Outside) -> bool:
    found, api = _settings(running), running.addresses["http"]
    house = set_up(found, api, running.addresses["smtp"], there)
    pieces = plan(seed)
    say(f"Sending {len(pieces)} contacts through the front door: {show.label(pieces)} …")
    invalid = _send(house.gateways, pieces)
    wanted = expected(pieces)
    say("Counting: in the record, on Kafka with a plain consumer, on the timeline through the API …")
    numbers = {"sent": len(pieces), **_settled(found, invalid, wanted)}
    numbers["on Kafka"] = count.on_kafka(found, wanted["on Kafka"])
    numbers["on the timeline"] = count.on_timeline(api, house.token, ADDRESSES, wanted["on the timeline"])
    out = show.console()
    is_right = show.numbers(out, wanted, numbers)
    with httpx.Client(base_url=api, headers={"Authorization": f"Bearer {house.token}"}, timeout=15) as client:
        is_answered = _answer(out, found, client, house, there)
        show.customer(out, _SHOWN, count.timeline(client, _SHOWN))
    is_right = is_right and is_answered
    say(f"The desk: {running.addresses['desk']}")
    if is_right and _stays(stay):
        login, password = add_agent(found)
        say(f"  sign in as {login} with the password {password}")
        say(f"The form is at {house.gateways.form_url}, the chat at {house.chat_url}")
        say(f"The API is at {api}/api/v1/ with the token {house.token}")
    return is_right


def _answer(out: Console, found: Settings, client: httpx.Client, house: House, there: Outside) -> bool:
    with visiting(house.chat_url) as visitor:
        visitor.write("سلام، جمعه‌ها باز هستید؟")
        say(f"Putting preferences on file: {file_preferences(client)} customers; a visitor waits in the chat …")
        wanted = replies(visitor.address)
        say(f"Answering {len(wanted)} conversations through the API …")
        answered = ask(client, wanted)
        say("Waiting for what becomes of it: receipts, a doubt, a refusal, a fallback …")
        settle(client, answered, visitor)
        lines = tally(found, answered, there, visitor.shown)
    show.answers(out, answered)
    return show.tallied(out, lines) and all(one.is_right for one in answered)


def _settings(running: Installation) -> Settings:
    return Settings.model_validate(
        {
            "database_url": running.addresses["postgres"],
            "kafka_bootstrap_servers": running.addresses["kafka"],
            "data": running.data,
            "secret_key_file": running.data / "secret.key",
        }
    )


def _send(gateways: Gateways, pieces: list[Piece]) -> int:
    """Send all; returns how many forms were sent back to be mended. Says what was answered otherwise than it must."""
    answers: Counter[str] = Counter()
    invalid = 0
    with gateways.connected() as send:
        for number, piece in enumerate(pieces, 1):
            answer = send(piece)
            answers[answer or "taken"] += 1
            if answer is not None and answer != piece.expect:
                say(f"  piece {number} was {answer}, but had to be {piece.expect}")
            is_form = hasattr(piece, "is_page")
            invalid += answer == "refused" and is_form
            if sys.stderr.isatty():
                typer.echo(f"\r  {number}/{len(pieces)}", nl=number == len(pieces), err=True)
    say("  answered: " + ", ".join(f"{number} {name}" for name, number in sorted(answers.items())))
    return invalid


def _settled(found: Settings, invalid: int, wanted: dict[str, int]) -> dict[str, int]:
    """The record's numbers, once the parsers are through or ten seconds have passed."""
    deadline = time.monotonic() + 10
    while True:
        numbers = count.in_record(found, invalid)
        if all(numbers[name] == wanted[name] for name in numbers) or time.monotonic() > deadline:
            return numbers
        time.sleep(0.1)


def _stays(asked: bool | None) -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() if asked is None else asked


def _stay(running: Installation) -> None:
    say("It goes on running; Ctrl-C ends it.")
    try:
        while True:
            running.watch(say)
            time.sleep(0.2)
    except KeyboardInterrupt:
        say("Stopping …")


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"demo": demo}
