"""Kafka's jars: fetched once from Maven Central, then held to the checksums in `jars.lock` at every start.

The lock is the proof. A checksum that comes from the server that also sent the jar proves nothing.
`python -m services.embedded.jars` resolves again and writes the lock; look at the difference before you commit it.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.embedded.cache import Progress, cache_dir, only_one, scratch_in, silent
from services.embedded.errors import ChecksumMismatch, EmbeddedError, JarsUnavailable

KAFKA_VERSION: Final = "4.3.1"
ROOTS: Final = (
    ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
    ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.25.4"),
)
LOCK_PATH: Final = Path(__file__).with_name("jars.lock")
_THREADS: Final = 8
_HEADER: Final = "# group:artifact:version sha256; written by `python -m services.embedded.jars`\n"


@dataclass(frozen=True, slots=True, order=True)
class Jar:
    """One artifact by its Maven coordinates, and the SHA-256 that its file must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinates(self) -> str:
        """As Maven writes them."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """Group included: artifact names alone are not unique."""
        return f"{self.group}.{self.artifact}-{self.version}.jar"


Fetch = Callable[[Jar, Path], Path]
"""Bring a jar into a scratch directory and tell its path."""


def read_lock(path: Path = LOCK_PATH) -> tuple[Jar, ...]:
    """The jars that the lock names, sorted. Raises EmbeddedError for a line of another shape."""
    lines = [line for line in path.read_text(encoding="ascii").splitlines() if line and not line.startswith("#")]
    return tuple(sorted(_jar(line, path) for line in lines))


def _jar(line: str, path: Path) -> Jar:
    coordinates, _, sha256 = line.partition(" ")
    match coordinates.split(":"):
        case [group, artifact, version] if len(sha256) == hashlib.sha256().digest_size * 2:
            return Jar(group, artifact, version, sha256)
        case _:
            raise EmbeddedError(f"{path} has a line that is not `group:artifact:version sha256`: {line!r}")


def ensure_jars(
    jars: Sequence[Jar] | None = None, *, fetch: Fetch | None = None, progress: Progress = silent
) -> list[Path]:
    """The paths of all jars, fetched if missing and verified always; safe when several processes do it at once.

    Raises ChecksumMismatch (the file has been removed) and JarsUnavailable.
    """
    wanted = read_lock() if jars is None else jars
    directory = cache_dir() / "jars"
    directory.mkdir(exist_ok=True)
    missing = [jar for jar in wanted if not (directory / jar.file_name).exists()]
    if missing:
        with only_one(directory / ".lock"):
            _fetch_missing(wanted, directory, fetch or _from_maven_central, progress)
    with ThreadPoolExecutor(_THREADS) as threads:
        return list(threads.map(_verified, wanted, [directory / jar.file_name for jar in wanted]))


def _fetch_missing(wanted: Sequence[Jar], directory: Path, fetch: Fetch, progress: Progress) -> None:
    # Looked at again under the lock: the process before us may have fetched everything.
    missing = [jar for jar in wanted if not (directory / jar.file_name).exists()]
    with scratch_in(directory) as scratch:

        def bring(jar: Jar) -> None:
            fetched = _verified(jar, fetch(jar, scratch))
            fetched.replace(directory / jar.file_name)

        with ThreadPoolExecutor(_THREADS) as threads:
            for done, _ in enumerate(threads.map(bring, missing), start=1):
                progress("fetching Kafka's jars", done, len(missing))


def _verified(jar: Jar, path: Path) -> Path:
    found = _sha256(path)
    if found != jar.sha256:
        path.unlink()
        raise ChecksumMismatch(
            f"{jar.coordinates} has the checksum {found}, but the lock says {jar.sha256}. The file {path} has been "
            f"removed; start again to fetch it anew. If it happens again, what you are sent is not what was locked."
        )
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _from_maven_central(jar: Jar, scratch: Path) -> Path:
    from services.embedded import maven  # noqa: PLC0415 - it takes 0.4 s to import and is needed once

    try:
        return maven.fetch(jar.group, jar.artifact, jar.version, scratch)
    except maven.FETCH_ERRORS as error:
        raise JarsUnavailable(
            f"{jar.coordinates} could not be fetched from Maven Central ({error}); check the network and start again"
        ) from error


def write_lock(path: Path = LOCK_PATH) -> int:
    """Resolve ROOTS with all they bring, fetch everything, write the lock; returns the number of jars."""
    from services.embedded import maven  # noqa: PLC0415 - see above

    with tempfile.TemporaryDirectory() as scratch:
        names = maven.resolve(ROOTS, Path(scratch))

        def fetch(name: tuple[str, str, str]) -> str:
            return _sha256(maven.fetch(*name, Path(scratch)))

        with ThreadPoolExecutor(_THREADS) as threads:
            sums = list(threads.map(fetch, names))
    lines = [f"{':'.join(name)} {sha256}\n" for name, sha256 in sorted(zip(names, sums, strict=True))]
    draft = path.with_suffix(".new")
    draft.write_text(_HEADER + "".join(lines), encoding="ascii")
    shutil.move(draft, path)
    return len(lines)


if __name__ == "__main__":
    write_lock()
