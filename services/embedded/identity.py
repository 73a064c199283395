"""PostgreSQL refuses to run as root, and its initdb for a user without a name: who they run as instead."""

import os
import pwd
import signal
import subprocess
from pathlib import Path

from services.embedded import tether
from services.embedded.errors import EmbeddedError
from services.embedded.process import Identity, tethered


def choose_identity(binary: Path) -> Identity:
    """Our own user; for root, or a user without a name (as in containers), the first way out in which `binary` runs.

    A user namespace comes first: it needs no path that others may enter, so data and programs may be below `/root`.
    Raises EmbeddedError when no way works.
    """
    is_root = os.geteuid() == 0
    if not is_root and _has_name(os.geteuid()):
        return "self"
    refusals: list[str] = []
    ways: tuple[Identity, ...] = ("namespace", "nobody") if is_root else ("namespace",)
    for way in ways:
        refusal = _trial(binary, way)
        if refusal is None:
            return way
        refusals.append(f"{way}: {refusal}")
    raise EmbeddedError(
        f"PostgreSQL runs neither as root nor as a user without a name, and no way out worked ({'; '.join(refusals)}). "
        f"Start Tamas as a user that /etc/passwd knows, or give DATABASE_URL a server of your own."
    )


def _has_name(user: int) -> bool:
    try:
        pwd.getpwuid(user)
    except KeyError:
        return False
    return True


def hand_over(tree: Path, identity: Identity) -> None:
    """Make the tree belong to the user that the server's files must belong to; a no-op when it does already."""
    if os.geteuid() != 0:
        return
    owner = tether.NOBODY if identity == "nobody" else 0
    for path in (tree, *tree.rglob("*")):
        if path.lstat().st_uid != owner:
            os.chown(path, owner, owner, follow_symlinks=False)


def _trial(binary: Path, identity: Identity) -> str | None:
    """None when it runs, else what it said."""
    command = tethered([binary, "--version"], signal.SIGKILL, identity)
    done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - our own command line
    said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
    return None if done.returncode == 0 else said or f"exit code {done.returncode}"
