"""Runs a command as `main` does, without a process of its own."""

import json
from dataclasses import dataclass
from typing import Any

from typer.testing import CliRunner

from services.__main__ import root
from services.ops.exits import meaning
from services.settings import Settings
from tests.servers import SECRET


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    code: int
    out: str
    err: str
    raw: bytes

    def rows(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.split("\n") if line]

    def row(self) -> dict[str, Any]:
        (one,) = self.rows()
        return one


class Tamas:
    """The command with an installation's environment."""

    def __init__(self, settings: Settings | None, **environment: str) -> None:
        self.environment: dict[str, str | None] = {"TAMAS_TENANT": None, "TAMAS_PUBLIC_URL": None, **environment}
        if settings is not None:
            self.environment |= {
                "DATABASE_URL": settings.database_url,
                "TAMAS_DATA": str(settings.data),
                "TAMAS_SECRET_KEY": SECRET,
            }

    def __call__(self, *words: object, stdin: str | None = None) -> Done:
        arguments = [str(word) for word in words]
        found = CliRunner().invoke(root(arguments), arguments, input=stdin, env=self.environment)
        code, err = found.exit_code, found.stderr
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            known = meaning(found.exception)
            if known is None:
                raise found.exception
            code, err = known[0], err + known[1]
        return Done(code, found.stdout, err, found.stdout_bytes)
