import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from services.embedded.errors import ChecksumMismatch, EmbeddedError
from services.embedded.jars import KAFKA_VERSION, Jar, ensure_jars, read_lock

CONTENT = b"a jar" * 1000
JARS = tuple(Jar("org.example", f"part{n}", "1.0", hashlib.sha256(CONTENT).hexdigest()) for n in range(20))


def _fetch(jar: Jar, scratch: Path) -> Path:
    path = scratch / jar.file_name
    path.write_bytes(CONTENT)
    return path


def _fetch_tampered(jar: Jar, scratch: Path) -> Path:
    path = scratch / jar.file_name
    path.write_bytes(CONTENT + b"!")
    return path


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAMAS_CACHE", str(tmp_path))
    return tmp_path / "jars"


def _files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != ".lock")


def test_missing_jars_are_fetched_once_and_progress_is_told(directory: Path) -> None:
    told: list[tuple[int, int]] = []
    paths = ensure_jars(JARS, fetch=_fetch, progress=lambda _what, done, total: told.append((done, total)))
    assert [path.name for path in paths] == [jar.file_name for jar in JARS]
    assert told == [(n, 20) for n in range(1, 21)]
    assert ensure_jars(JARS, fetch=_fetch_tampered) == paths
    assert len(_files(directory)) == 20


def test_a_jar_with_another_checksum_is_refused_and_not_kept(directory: Path) -> None:
    with pytest.raises(ChecksumMismatch, match=r"org\.example:part0:1\.0 has the checksum"):
        ensure_jars(JARS[:1], fetch=_fetch_tampered)
    assert _files(directory) == []
    assert ensure_jars(JARS[:1], fetch=_fetch)[0].read_bytes() == CONTENT


def test_a_jar_that_changes_in_the_cache_is_refused_removed_and_fetched_anew(directory: Path) -> None:
    path = ensure_jars(JARS, fetch=_fetch)[3]
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(ChecksumMismatch, match="has been removed; start again"):
        ensure_jars(JARS, fetch=_fetch)
    assert path.name not in _files(directory)
    assert ensure_jars(JARS, fetch=_fetch)[3].read_bytes() == CONTENT


def test_two_processes_at_once_both_get_whole_jars(directory: Path) -> None:
    code = f"from {__name__} import JARS, _fetch, ensure_jars; ensure_jars(JARS, fetch=_fetch)"
    both = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    assert [process.wait(timeout=30) for process in both] == [0, 0]
    assert _files(directory) == sorted(jar.file_name for jar in JARS)


def test_the_lock_names_kafka_whole_and_in_one_version() -> None:
    jars = read_lock()
    assert len(jars) == 46
    assert len({jar.file_name for jar in jars}) == 46
    assert {jar.version for jar in jars if jar.group == "org.apache.kafka"} == {KAFKA_VERSION}
    assert {"kafka_2.13", "kafka-clients", "log4j-slf4j-impl"} <= {jar.artifact for jar in jars}


@pytest.mark.parametrize(
    "line", ["org.example:part", "org.example:part:1.0", "org.example:part:1.0 abc", "a:b:c:d " + "0" * 64]
)
def test_a_line_of_another_shape_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "jars.lock"
    path.write_text(line, encoding="ascii")
    with pytest.raises(EmbeddedError, match="group:artifact:version sha256"):
        read_lock(path)
