"""Blobs in one tar: sealed files by the names that the store gives them, and nothing else from its folder."""

import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from services.backup.manifest import BrokenBackup

_NAME: Final = re.compile(r"(?!\.)[^/]+/[0-9a-f]{32}/[0-9a-f]{32}")


def write(root: Path, to: Path) -> int:
    """Archive every blob; returns how many. What is erased meanwhile is left out.

    Raises:
        OSError: it cannot be read or written.
    """
    count = 0
    with to.open("xb") as file:
        with tarfile.open(fileobj=file, mode="w", dereference=True) as archive:
            for path in _blobs(root):
                count += _add(archive, path, path.relative_to(root).as_posix())
                # It would keep a kilobyte for each until the end.
                archive.members.clear()  # pyright: ignore[reportAttributeAccessIssue] - typeshed leaves it out
        file.flush()
        os.fsync(file.fileno())
    return count


def read(archive: Path, root: Path) -> int:
    """Put the blobs back into an empty store; returns how many. On an error nothing of them stays.

    Raises:
        BrokenBackup: the archive holds something else.
        OSError: it cannot be read or written.
    """
    root.mkdir(parents=True, exist_ok=True)
    count = 0
    try:
        with tarfile.open(archive, mode="r:") as opened:
            for member in opened:
                _put(opened, member, root)
                opened.members.clear()  # pyright: ignore[reportAttributeAccessIssue] - typeshed leaves it out
                count += 1
        os.sync()
    except BaseException:
        remove(root)
        raise
    return count


def is_empty(root: Path) -> bool:
    """Is there no store yet, or nothing in it?"""
    return not root.is_dir() or next(root.iterdir(), None) is None


def remove(root: Path) -> None:
    """Everything in it; the folder may be where a volume is mounted, and stays."""
    for path in root.iterdir():
        shutil.rmtree(path)


def _put(opened: tarfile.TarFile, member: tarfile.TarInfo, root: Path) -> None:
    # Not `extract`: before Python 3.11.4 it knows no filter, and later ones warn without.
    content = opened.extractfile(member) if member.isreg() and _NAME.fullmatch(member.name) else None
    if content is None:
        raise BrokenBackup(f"The archive of blobs holds {member.name!r}, which is no blob")
    path = root / member.name
    path.parent.mkdir(parents=True, exist_ok=True)
    with content, path.open("xb") as file:
        shutil.copyfileobj(content, file)


def _blobs(root: Path) -> Iterator[Path]:
    # One tenant and one address at a time in memory; a draft that is being written has another name.
    for place, _, names in os.walk(root):
        for name in names:
            path = Path(place, name)
            if _NAME.fullmatch(path.relative_to(root).as_posix()):
                yield path


def _add(archive: tarfile.TarFile, path: Path, name: str) -> bool:
    try:
        with path.open("rb") as file:
            member = archive.gettarinfo(arcname=name, fileobj=file)
            member.uid = member.gid = 0
            member.uname = member.gname = ""
            archive.addfile(member, file)
    except FileNotFoundError:
        return False
    return True
