import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.fact import join, split

# Names and texts that look like the seam, at any depth.
NAMES = st.sampled_from(["personal", "a", ',"personal":', '"personal":{}', "}", "{"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 9) | NAMES | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
CLEAR = st.dictionaries(NAMES.filter(lambda name: name != "personal"), VALUES, min_size=1, max_size=4)


@given(CLEAR, st.none() | st.dictionaries(NAMES, VALUES, max_size=4))
def test_the_parts_are_had_again_byte_for_byte(clear: dict[str, object], personal: dict[str, object] | None) -> None:
    parts = orjson.dumps(clear), None if personal is None else orjson.dumps(personal)
    assert split(join(*parts)) == parts


@pytest.mark.parametrize("text", [b"", b"{", b'{"a":1,"personal":{}'])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match="EOF"):
        split(text)
