"""The format: what a crash leaves, and what a disk does to bytes, told apart at every byte."""

from io import BytesIO
from uuid import UUID

import pytest

from services.spool import frames
from services.spool.frames import Damage, Frame, Head

INBOX = UUID(int=7)
HEAD = frames.head(b"k" * 60)
THREE = [frames.frame(INBOX, UUID(int=n), f"request {n}".encode() * 5) for n in (1, 2, 3)]
SEGMENT = HEAD + b"".join(THREE)


def _numbers(data: bytes) -> list[int | Damage]:
    start = frames.read_head(data)
    assert isinstance(start, Head)
    return [piece.raw_id.int if isinstance(piece, Frame) else piece for piece in frames.read(data, start.end)]


def test_what_was_written_is_read() -> None:
    assert _numbers(SEGMENT) == [1, 2, 3]
    assert frames.count(BytesIO(SEGMENT)) == 3
    first = next(frames.read(SEGMENT, len(HEAD)))
    assert isinstance(first, Frame)
    assert first == Frame(len(HEAD), len(HEAD + THREE[0]), INBOX, UUID(int=1), b"request 1" * 5)


@pytest.mark.parametrize("kept", range(len(THREE[2])))
@pytest.mark.parametrize("zeros", [0, 5, 4096])
def test_a_tail_that_was_never_whole_is_dropped(kept: int, zeros: int) -> None:
    torn = SEGMENT[: len(SEGMENT) - len(THREE[2]) + kept]
    if zeros and kept:
        # Where room was made and not written, the length is whole and the sum is not: acknowledged or not, it is named.
        assert _numbers(torn + bytes(zeros))[:2] == [1, 2]
    else:
        assert _numbers(torn + bytes(zeros)) == [1, 2]
        assert frames.count(BytesIO(torn + bytes(zeros))) == 2


@pytest.mark.parametrize("kept", range(len(HEAD)))
def test_a_head_that_was_never_whole_holds_nothing(kept: int) -> None:
    assert frames.read_head(HEAD[:kept]) is None
    assert frames.count(BytesIO(HEAD[:kept])) == 0


@pytest.mark.parametrize("at", range(len(HEAD), len(SEGMENT)))
def test_a_changed_byte_is_named_and_takes_no_other_frame_with_it(at: int) -> None:
    hurt = next(n for n in range(3) if at < len(HEAD) + sum(map(len, THREE[: n + 1])))
    changed = bytearray(SEGMENT)
    changed[at] ^= 1 << at % 8
    found = _numbers(bytes(changed))
    assert [one for one in found if isinstance(one, int)] == [n + 1 for n in range(3) if n != hurt]
    # Told without a look at bodies: a changed body still counts, a changed head does not.
    assert frames.count(BytesIO(bytes(changed))) in (2, 3)
    (damage,) = [one for one in found if isinstance(one, Damage)]
    begin = len(HEAD) + sum(map(len, THREE[:hurt]))
    assert damage == Damage(begin, begin + len(THREE[hurt]))


@pytest.mark.parametrize("at", range(len(HEAD)))
def test_a_changed_head_is_damage(at: int) -> None:
    changed = bytearray(SEGMENT)
    changed[at] ^= 16
    assert frames.read_head(bytes(changed)) == Damage(0, len(SEGMENT))


def test_a_mark_within_a_request_is_no_frame() -> None:
    tricky = frames.frame(INBOX, UUID(int=1), THREE[1][:4] * 9 + THREE[2][:20])
    assert _numbers(HEAD + tricky + THREE[1]) == [1, 2]
