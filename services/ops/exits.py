"""What an error means to whoever ran a command: an exit code and a sentence. One table for all commands.

0 done, 1 the answer is no, 2 usage, 65 malformed input, 69 a server is not reached, 77 bad signature or not allowed,
78 configuration, 130 Ctrl-C. Names instead of classes, so that nothing is imported before there is an error.
"""

from typing import Final

import typer

NO: Final = 1
USAGE: Final = 2
MALFORMED: Final = 65
AWAY: Final = 69
NOT_ALLOWED: Final = 77
CONFIGURATION: Final = 78

# The first class in an error's line of descent that is here decides. The sentence takes the error's own first line.
_EXITS: Final[dict[str, tuple[int, str]]] = {
    "services.record.errors.Refused": (NO, "{}"),
    "services.record.errors.Conflict": (NO, "{}"),
    "channels.errors.Malformed": (MALFORMED, "This cannot be read: {}"),
    "channels.errors.BadSignature": (NOT_ALLOWED, "{}"),
    "services.backup.manifest.BrokenBackup": (MALFORMED, "{}"),
    "services.backup.programs.ProgramFailed": (NO, "{}"),
    "schemas.event.Undecodable": (MALFORMED, "The record holds what this version cannot read: {}"),
    "services.settings.Misconfigured": (CONFIGURATION, "{}"),
    "services.keys.vault.Unsealable": (CONFIGURATION, "{}"),
    "services.embedded.errors.EmbeddedError": (CONFIGURATION, "{}"),
    "psycopg.errors.UndefinedTable": (CONFIGURATION, "The database is not of this version, run tamas migrate: {}"),
    "psycopg.errors.InvalidSchemaName": (CONFIGURATION, "The database is not of this version, run tamas migrate: {}"),
    "psycopg.errors.UndefinedColumn": (CONFIGURATION, "The database is not of this version, run tamas migrate: {}"),
    "psycopg.errors.InsufficientPrivilege": (NOT_ALLOWED, "The database does not allow it: {}"),
    "psycopg.OperationalError": (AWAY, "PostgreSQL is not reached: {}"),
    "psycopg.InterfaceError": (AWAY, "PostgreSQL is not reached: {}"),
    "httpx.TransportError": (AWAY, "The server is not reached: {}"),
    "aiokafka.errors.KafkaConnectionError": (AWAY, "Kafka is not reached: {}"),
    "smtplib.SMTPException": (AWAY, "The mail server is not reached: {}"),
    "socket.gaierror": (AWAY, "The server is not reached: {}"),
    "builtins.ConnectionError": (AWAY, "The server is not reached: {}"),
    "builtins.TimeoutError": (AWAY, "The server did not answer in time: {}"),
}


def told(error: BaseException) -> int | None:
    """Tell the sentence on stderr and return the exit code; None for an error that is a fault of ours."""
    known = meaning(error)
    if known is None:
        return None
    typer.echo(known[1], err=True)
    return known[0]


def meaning(error: BaseException) -> tuple[int, str] | None:
    """Exit code and sentence; None for an error that is a fault of ours."""
    for kind in type(error).__mro__:
        found = _EXITS.get(f"{kind.__module__}.{kind.__qualname__}")
        if found is not None:
            code, sentence = found
            lines = str(error).splitlines() or [type(error).__name__]
            return code, sentence.format(lines[0])
    return None
