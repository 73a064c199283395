"""What a backup says of itself: `manifest.json`, written last, so that a folder without it is no backup."""

import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

MANIFEST: Final = "manifest.json"
RECORD: Final = "record.dump"
KEYS: Final = "keys.dump"
BLOBS: Final = "blobs.tar"
FILES: Final = (RECORD, KEYS, BLOBS)
SCHEMAS: Final = {RECORD: ("record", "service"), KEYS: ("keys",)}
"""Of each dump. Read models are not among them: they are made again from the record."""
_CHUNK_BYTES: Final = 1 << 20


class BrokenBackup(Exception):
    """A folder is no backup, or not as it was written."""


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True)


class Written(_Said):
    """One of the files."""

    bytes: int
    sha256: str


class Role(_Said):
    """A role that has rights in the dumps; `could_log_in`: an operator's own, whose password is not here."""

    name: str
    could_log_in: bool
    member_of: tuple[str, ...]


class Manifest(_Said):
    """`position` is the record's head; `migrations` are by part, `record` and `keys`.

    `erasures_under_way` were begun and not finished: whoever restores asks for them again. `spooled` requests waited
    on the disk of this machine, and are not in the backup.
    """

    format: Literal[1] = 1
    version: str
    taken_at: datetime
    position: int
    postgres: int
    pg_dump: int
    system_identifier: str
    timeline: int
    topic_prefix: str
    migrations: dict[str, tuple[str, ...]]
    roles: tuple[Role, ...]
    erasures_under_way: int
    spooled: int
    blobs: int
    files: dict[str, Written]


def measured(path: Path) -> Written:
    """Size and SHA-256 of a file. Raises `OSError`."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            digest.update(piece)
            size += len(piece)
    return Written(bytes=size, sha256=digest.hexdigest())


def read(folder: Path) -> Manifest:
    """What the backup in this folder says.

    Raises:
        BrokenBackup: there is none, or another version of Tamas wrote it in another way.
    """
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise BrokenBackup(f"There is no whole backup: {folder / MANIFEST} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise BrokenBackup(f"{folder / MANIFEST} is not as tamas backup writes it") from error


def verify(folder: Path, manifest: Manifest) -> None:
    """Pass if each file is as it was written. Raises `BrokenBackup`."""
    for name in FILES:
        try:
            found = measured(folder / name)
        except OSError as error:
            raise BrokenBackup(f"{folder / name} cannot be read: {error.strerror}") from error
        if found != manifest.files.get(name):
            raise BrokenBackup(f"{folder / name} is not what was written: its size or its SHA-256 differs")
