"""`python -m tests.house.vendored` (make vendored) brings the desk's libraries and fonts from npm, by their lock.

A line of the lock is: file sha256 package version licence member. A new version is brought by writing it there with
`-` for its digest; npm itself checks what it brings against the registry's digest.
"""

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from tests.house.tree import ROOT

FOLDER: Final = ROOT / "services" / "desk" / "static" / "vendor"
LOCK: Final = FOLDER / "vendor.lock"
_HEAD: Final = "# file sha256 package version licence member; written by `make vendored`"


@dataclass(frozen=True, slots=True)
class Vendored:
    """One file of the desk that is not ours."""

    file: str
    digest: str
    package: str
    version: str
    licence: str
    member: str


def locked() -> list[Vendored]:
    """What the lock says."""
    lines = LOCK.read_text("utf-8").splitlines()
    return [Vendored(*line.split()) for line in lines if line and not line.startswith("#")]


def digest_of(content: bytes) -> str:
    """As the lock has it."""
    return sha256(content).hexdigest()


def _brought(wanted: list[Vendored]) -> Iterator[Vendored]:
    with tempfile.TemporaryDirectory() as folder:
        for package, version in sorted({(one.package, one.version) for one in wanted}):
            packed = subprocess.run(
                ["npm", "pack", "--silent", f"{package}@{version}"],
                cwd=folder,
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()[-1]
            with tarfile.open(Path(folder) / packed) as archive:
                for one in wanted:
                    if (one.package, one.version) == (package, version):
                        yield _written(one, archive)


def _written(one: Vendored, archive: tarfile.TarFile) -> Vendored:
    member = archive.extractfile(f"package/{one.member}")
    assert member is not None, f"{one.package} has no {one.member}"
    content = member.read()
    digest = digest_of(content)
    if one.digest not in {"-", digest}:
        raise SystemExit(f"{one.file}: {digest} came, {one.digest} is locked; nothing was written")
    (FOLDER / one.file).write_bytes(content)
    return Vendored(one.file, digest, one.package, one.version, one.licence, one.member)


if __name__ == "__main__":
    found = sorted(_brought(locked()), key=lambda one: one.file)
    rows = (f"{one.file} {one.digest} {one.package} {one.version} {one.licence} {one.member}" for one in found)
    LOCK.write_text("\n".join((_HEAD, *rows, "")), "utf-8")
