from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from channels.urlencoded import read_pairs

words = st.text(max_size=20)


def by_library(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


@given(st.lists(st.tuples(words, words), max_size=10))
@example([("?a", "1")])
@example([("a", "")])
def test_what_was_encoded_is_read_back(pairs: list[tuple[str, str]]) -> None:
    encoded = urlencode(pairs).encode()
    assert list(read_pairs(encoded)) == pairs == by_library(encoded)


@given(st.binary(max_size=80) | st.text("%+&=?;#C3A9EDff\0é", max_size=40).map(str.encode))
def test_any_bytes_are_read_as_the_standard_library_reads_them(body: bytes) -> None:
    assert list(read_pairs(body)) == by_library(body)


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"", []),
        (b"a", [("a", "")]),
        (b"?a=1", [("?a", "1")]),
        (b"a=1&&b=2&a=3", [("a", "1"), ("b", "2"), ("a", "3")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"a=%zz%4", [("a", "%zz%4")]),
        (b"a=%2B+%20", [("a", "+  ")]),
        (b"a=%ff", [("a", "\ufffd")]),
        (b"a=\xff", [("a", "\ufffd")]),
        (b"a=%D8%B3%D9%84%D8%A7%D9%85", [("a", "سلام")]),
        (b"a=x;b=y", [("a", "x;b=y")]),
    ],
)
def test_pairs(body: bytes, pairs: list[tuple[str, str]]) -> None:
    assert list(read_pairs(body)) == pairs
