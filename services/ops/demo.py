"""`tamas demo`: an installation of its own, real traffic through its front door, every number checked."""

import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import httpx
import typer

from services.demo import count, show
from services.demo.plan import ADDRESSES, FORM_FIELDS, MAILBOX, NUMBER, Piece, plan
from services.demo.send import Gateways, expected
from services.ops.output import say
from services.ops.up import Installation, start
from services.settings import Settings
from services.tenancy.doors import door_url
from services.tenancy.store import NewInbox, Tenancy
from services.tenancy.tenant import RegisterTenant
from services.tenancy.tokens import add_token

_TENANT: Final = "shop"
_SHOWN: Final = "mailto:sara@example.com"


def demo(
    *,
    stay: Annotated[bool | None, typer.Option("--stay/--exit", help="Default: stay on a terminal.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="The same seed sends the same traffic.")] = 1,
) -> None:
    """Start, send, count; exit code 1 when a number is wrong."""
    began = time.monotonic()
    base = Settings().data.absolute()
    base.mkdir(parents=True, exist_ok=True)
    data = Path(tempfile.mkdtemp(prefix="demo-", dir=base))
    given = Settings(data=data, http_listen="127.0.0.1:0", smtp_listen="127.0.0.1:0")
    running: Installation | None = None
    try:
        running = start(given, say)
        is_right = _run(running, seed, stay)
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


def _run(running: Installation, seed: int, stay: bool | None) -> bool:
    found = _settings(running)
    gateways, token = _set_up(found, running)
    pieces = plan(seed)
    say(f"Sending {len(pieces)} contacts through the front door: {show.label(pieces)} …")
    invalid = _send(gateways, pieces)
    wanted = expected(pieces)
    say("Counting: in the record, on Kafka with a plain consumer, on the timeline through the API …")
    numbers = {"sent": len(pieces), **_settled(found, invalid, wanted)}
    numbers["on Kafka"] = count.on_kafka(found, wanted["on Kafka"])
    api = running.addresses["http"]
    numbers["on the timeline"] = count.on_timeline(api, token, ADDRESSES, wanted["on the timeline"])
    out = show.console()
    is_right = show.numbers(out, wanted, numbers)
    with httpx.Client(base_url=api, headers={"Authorization": f"Bearer {token}"}) as client:
        show.customer(out, _SHOWN, count.timeline(client, _SHOWN))
    if is_right and _stays(stay):
        say(f"The form is at {gateways.form_url}, the API at {api}/api/v1/ with the token {token}")
    return is_right


def _settings(running: Installation) -> Settings:
    return Settings.model_validate(
        {
            "database_url": running.addresses["postgres"],
            "kafka_bootstrap_servers": running.addresses["kafka"],
            "data": running.data,
            "secret_key_file": running.data / "secret.key",
        }
    )


def _set_up(found: Settings, running: Installation) -> tuple[Gateways, str]:
    auth_token = secrets.token_hex(16)
    http = running.addresses["http"]
    with Tenancy(found) as tenancy:
        tenancy.add_tenant(RegisterTenant(slug=_TENANT, name="فروشگاه نمونه"))
        sms = tenancy.add_inbox(_TENANT, NewInbox("sms/twilio", "support", NUMBER, {}, {"auth_token": auth_token}))
        tenancy.add_inbox(_TENANT, NewInbox("email/smtp", "help", MAILBOX, {}, {}))
        form = tenancy.add_inbox(
            _TENANT, NewInbox("forms/web", "write-to-us", "write-to-us", {"fields": FORM_FIELDS}, {})
        )
    _, token = add_token(found.record_url, _TENANT, "demo", "operator", timedelta(days=1))
    urls = [door_url(http, view.inbox.channel, view.key, view.inbox.address) or "" for view in (sms, form)]
    return Gateways(urls[0], auth_token, urls[1], running.addresses["smtp"]), token


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
