"""Segments on a real disk: sealed, given up and taken over, full, damaged, removed."""

import resource
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from channels.contract import InboundRequest, Origin
from services.keys.vault import Vault
from services.spool import shelf
from services.spool.reader import Reader
from services.spool.shelf import Shelf
from services.spool.writer import Kept, Writer

VAULT = Vault((b"a sealing secret of at least 32 characters",))
INBOX = UUID(int=7)
REQUEST = InboundRequest(
    "POST", "https://x/", (("a", "b"),), "متن".encode(), datetime(2026, 11, 1, tzinfo=UTC), Origin("shop", "twilio:+98")
)


def _kept(*numbers: int) -> list[Kept]:
    return [Kept(INBOX, UUID(int=n), REQUEST) for n in numbers]


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path, VAULT)


def _read(root: Path, vault: Vault = VAULT) -> list[int]:
    """Everything, as another process does it."""
    numbers: list[int] = []
    for one in Shelf.orphans(root):
        reader = Reader(vault)
        reader.count(one)
        for segment in one.segments():
            found = reader.read(one, segment, 0, None)
            assert all(kept.request == REQUEST for kept, _ in found)
            numbers += [kept.raw_id.int for kept, _ in found]
        one.close()
    return numbers


def test_what_was_kept_is_there_for_the_next_process_and_sealed(tmp_path: Path, writer: Writer) -> None:
    assert writer.write(_kept(1, 2)) + writer.write(_kept(3)) == sum(writer.ends.values())
    assert Shelf.orphans(tmp_path) == []
    assert shelf.waiting(tmp_path) == 3
    writer.close()
    (segment,) = tmp_path.glob("*/*.segment")
    assert REQUEST.body not in segment.read_bytes()
    assert segment.stat().st_mode & 0o077 == 0
    assert _read(tmp_path) == [1, 2, 3]


def test_a_spool_that_nobody_needed_leaves_no_file(tmp_path: Path, writer: Writer) -> None:
    writer.close()
    assert list(tmp_path.iterdir()) == []
    assert shelf.waiting(tmp_path) == shelf.aside(tmp_path) == 0


def test_what_is_drained_is_removed_and_a_new_segment_begins(tmp_path: Path, writer: Writer) -> None:
    writer.write(_kept(1))
    (first,) = writer.ends
    writer.drop(first)
    assert not first.exists()
    writer.write(_kept(2))
    assert shelf.waiting(tmp_path) == 1
    writer.drop(next(iter(writer.ends)))
    writer.close()
    assert list(tmp_path.iterdir()) == []


@contextmanager
def _disk_of(size: int) -> Generator[None]:
    """Files end there, as a disk does: what is written above is refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("room", range(0, 700, 23))
def test_a_full_disk_keeps_nothing_of_a_group_and_all_that_was_kept_before(
    tmp_path: Path, writer: Writer, room: int
) -> None:
    writer.write(_kept(1))
    full = next(iter(writer.ends.values()))
    with _disk_of(full + room), pytest.raises(OSError, match="File too large"):
        writer.write(_kept(2, 3, 4, 5))
    writer.write(_kept(6))
    writer.close()
    assert _read(tmp_path) == [1, 6]


def test_a_disk_that_takes_nothing_at_all_leaves_no_litter(tmp_path: Path, writer: Writer) -> None:
    for _ in range(3):
        with _disk_of(10), pytest.raises(OSError, match="File too large"):
            writer.write(_kept(1))
    assert list(tmp_path.glob("*/*.segment")) == []
    writer.write(_kept(2))
    writer.close()
    assert _read(tmp_path) == [2]


def _flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _cut_short(data: bytes) -> bytes:
    return data[:-1]


@pytest.mark.parametrize(("harm", "rest", "aside"), [(_flip, [1, 3], 1), (_cut_short, [1, 2], 0)])
def test_damage_is_set_aside_and_a_torn_tail_is_not(
    tmp_path: Path, writer: Writer, harm: Callable[[bytes], bytes], rest: list[int], aside: int
) -> None:
    writer.write(_kept(1, 2, 3))
    writer.close()
    (segment,) = tmp_path.glob("*/*.segment")
    segment.write_bytes(harm(segment.read_bytes()))
    assert _read(tmp_path) == rest
    assert shelf.aside(tmp_path) == aside


def test_what_no_key_opens_is_set_aside_and_can_be_put_back(tmp_path: Path, writer: Writer) -> None:
    writer.write(_kept(1, 2))
    writer.close()
    assert _read(tmp_path, Vault((b"another secret of at least 32 characters..",))) == []
    (kept,) = (tmp_path / "aside").iterdir()
    assert kept.name.endswith("0.locked")
    again = tmp_path / "again"
    again.mkdir()
    kept.rename(again / "1.segment")
    assert _read(tmp_path) == [1, 2]


def test_a_segment_ends_before_it_is_large(tmp_path: Path, writer: Writer) -> None:
    large = replace(REQUEST, body=bytes(3 << 20))
    for n in range(7):
        writer.write([Kept(INBOX, UUID(int=n), large)])
    assert len(writer.ends) == 3
    writer.close()
    (orphan,) = Shelf.orphans(tmp_path)
    counted, size = Reader(VAULT).count(orphan)
    assert counted == {INBOX: 7}
    assert size > 7 * (3 << 20)
