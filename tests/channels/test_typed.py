"""What people typed, as it may be kept."""

from hypothesis import given
from hypothesis import strategies as st

from channels.typed import clean

_ODD = "\0\a\b\t\n\v\f\r\x1b\x7f\x85\xa0\u200c\u2028\ufeff\ud83d\ude00 aس"
_TEXTS = st.text(st.one_of(st.sampled_from(_ODD), st.characters(exclude_categories=())), max_size=30)


@given(_TEXTS)
def test_only_line_feeds_and_tabs_are_left_of_the_controls(text: str) -> None:
    left = clean(text)
    assert not {*range(9), *range(11, 32), 127} & set(map(ord, left))
    assert left == left.strip()
    assert left.encode().decode() == left


@given(_TEXTS)
def test_nothing_else_is_lost(text: str) -> None:
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    lines = whole.replace("\r\n", "\n").replace("\r", "\n")
    assert clean(text) == "".join(one for one in lines if one in "\t\n" or not (one < " " or one == "\x7f")).strip()
