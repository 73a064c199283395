"""`tamas restore`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from services.backup.put import restore
from services.ops.backup import progress, row
from services.ops.options import Json, with_database
from services.ops.output import emit_one, say
from services.record.errors import Refused

_NEXT: Final = (
    "Nothing runs on it yet. If the topics are still there, run tamas record adopt --from-kafka: it puts back what "
    "came after the backup, and erases again who was erased since. If they are not, run tamas record adopt, and then "
    "tamas erase for every address that was erased after {taken_at}: their keys are back. Then start Tamas; read "
    "models fill themselves."
)


def run(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="What tamas backup wrote.")],
    *,
    as_json: Json = False,
) -> None:
    """Put a backup into an empty installation."""
    try:
        made, without_login = restore(with_database(), folder, tell=progress)
    except OSError as error:
        raise Refused(f"The backup could not be put back, and nothing of it stays: {error}") from error
    emit_one(row(folder, made), as_json=as_json)
    for name in without_login:
        say(f"The role {name} is back without login: give it a password (ALTER ROLE) if it is still needed.")
    if made.erasures_under_way:
        say(f"{made.erasures_under_way} erasures were under way: run tamas erase again for their addresses.")
    say(_NEXT.format(taken_at=made.taken_at.isoformat(timespec="seconds")))


COMMANDS: Final[dict[str, Callable[..., Any]]] = {"restore": run}
