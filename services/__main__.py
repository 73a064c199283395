"""The command `tamas`. Each subject is a module of services/ops, imported only when it is asked for."""

import importlib
import os
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

import typer

from services.ops.exits import told


@dataclass(frozen=True, slots=True)
class Subject:
    """A word after `tamas`. Its module holds `COMMANDS`: functions by the next word, or one by the subject itself."""

    module: str
    help: str


SUBJECTS: Final[dict[str, Subject]] = {
    "up": Subject("services.ops.up", "Start everything on this machine."),
    "run": Subject("services.ops.run", "Run some roles in this process."),
    "demo": Subject("services.ops.demo", "Send real traffic through the front door and check what became of it."),
    "migrate": Subject("services.ops.migrate", "Bring the databases to the schema of this version."),
    "backup": Subject("services.ops.backup", "Write record, keys and blobs to a folder, while everything runs."),
    "restore": Subject("services.ops.restore", "Put a backup into an empty installation."),
    "tenant": Subject("services.ops.tenant", "Organisations that this installation serves."),
    "user": Subject("services.ops.user", "Who works at the desk."),
    "token": Subject("services.ops.token", "Who may use the API."),
    "inbox": Subject("services.ops.inbox", "Our numbers, mailboxes and forms."),
    "parse": Subject("services.ops.parse", "Show the events that recorded requests would make."),
    "sign": Subject("services.ops.sign", "Sign a recorded request as its provider does."),
    "deliver": Subject("services.ops.deliver", "Send a recorded request or mail to the front door."),
    "timeline": Subject("services.ops.timeline", "What was said with an address."),
    "send": Subject("services.ops.send", "Answer an address on the way that its customer prefers."),
    "explain": Subject("services.ops.explain", "Why a message of ours went where it went, and what became of it."),
    "prefer": Subject("services.ops.prefer", "How an address likes to be answered."),
    "tail": Subject("services.ops.tail", "Events as they come."),
    "topics": Subject("services.ops.topics", "Our topics on Kafka."),
    "rebuild": Subject("services.ops.rebuild", "Fill a read model anew from the record."),
    "status": Subject("services.ops.status", "How far everything is."),
    "wait": Subject("services.ops.wait", "Wait until the front door is ready."),
    "openapi": Subject("services.ops.openapi", "The API's own document."),
    "asyncapi": Subject("services.ops.asyncapi", "The topics' own document."),
    "schemas": Subject("services.ops.schemas", "The contracts of facts."),
    "event": Subject("services.ops.event", "Show one event, or the request that it came from."),
    "record": Subject("services.ops.record", "Is the record whole, and is it where it was."),
    "erase": Subject("services.ops.erase", "Destroy what is known of an address."),
    "parked": Subject("services.ops.parked", "What was set aside because it could not be read."),
}


def main() -> None:
    """Run the command line; the exit codes are those of `services.ops.exits`."""
    try:
        root({*sys.argv[1:], *os.environ.get("COMP_WORDS", "").split()})(prog_name="tamas")
    except Exception as error:
        # The edge: what the table knows becomes a sentence, the rest is a fault of ours and shows where.
        code = told(error)
        if code is None:
            raise
        sys.exit(code)


def root(words: Collection[str]) -> typer.Typer:
    """The whole command; only subjects among these words are more than a name and a sentence."""
    app = typer.Typer(
        name="tamas",
        help="Every contact of a customer becomes an event; one timeline for each customer.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name, subject in SUBJECTS.items():
        commands = _commands(subject) if name in words else {name: _not_asked_for}
        if list(commands) == [name]:
            app.command(name, help=subject.help if name not in words else None)(commands[name])
            continue
        group = typer.Typer(no_args_is_help=True)
        for verb, function in commands.items():
            group.command(verb)(function)
        app.add_typer(group, name=name, help=subject.help)
    return app


def _commands(subject: Subject) -> dict[str, Callable[..., Any]]:
    return importlib.import_module(subject.module).COMMANDS


def _not_asked_for() -> None:
    raise AssertionError


if __name__ == "__main__":
    main()
