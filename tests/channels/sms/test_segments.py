import gsm0338
import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.sms.segments import DEFAULT, EXTENSION, Segments, segments

_PERSIAN = "سلام، سفارش شما آماده است. "
_FAMILY = "👨‍👩‍👧"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Segments("gsm7", 0, 1)),
        ("a" * 160, Segments("gsm7", 160, 1)),
        ("a" * 161, Segments("gsm7", 161, 2)),
        ("a" * 306, Segments("gsm7", 306, 2)),
        ("a" * 307, Segments("gsm7", 307, 3)),
        ("€" * 80, Segments("gsm7", 160, 1)),
        ("€" * 81, Segments("gsm7", 162, 2)),
        # 152 septets and an escaped one: the pair does not fit the first, so 153 and 153 become three.
        ("a" * 152 + "€" + "a" * 151, Segments("gsm7", 305, 2)),
        ("a" * 152 + "€" + "a" * 152, Segments("gsm7", 306, 3)),
        ("àèìòù ÄÖÑÜ ¿¡ ΔΩ @£$", Segments("gsm7", 20, 1)),
        ("ç", Segments("ucs2", 1, 1)),  # the alphabet has only the capital, and so have Turkish tables elsewhere
        ("ñandú", Segments("ucs2", 5, 1)),
        ("`", Segments("ucs2", 1, 1)),
        ("a" * 159 + "ی", Segments("ucs2", 160, 3)),
        ("س" * 70, Segments("ucs2", 70, 1)),
        ("س" * 71, Segments("ucs2", 71, 2)),
        ("س" * 134, Segments("ucs2", 134, 2)),
        ("س" * 135, Segments("ucs2", 135, 3)),
        (_PERSIAN * 2, Segments("ucs2", 54, 1)),
        ("می‌روم ۱۲۳۴", Segments("ucs2", 11, 1)),
        ("😀" * 35, Segments("ucs2", 70, 1)),
        ("😀" * 36, Segments("ucs2", 72, 2)),
        # 67 units hold 33 pairs and a half: a pair is not cut.
        ("😀" * 66, Segments("ucs2", 132, 2)),
        ("😀" * 67, Segments("ucs2", 134, 3)),
        ("س" + "😀" * 66 + "س", Segments("ucs2", 134, 2)),
        (_FAMILY, Segments("ucs2", 8, 1)),
        ("\ud800", Segments("ucs2", 1, 1)),
    ],
)
def test_counted(text: str, expected: Segments) -> None:
    assert segments(text) == expected


def test_the_alphabet_is_that_of_a_library() -> None:
    codec = gsm0338.Codec()
    characters = [chr(code) for code in range(0x10000) if not 0xD800 <= code < 0xE000]
    known = {character: len(codec.encode(character, "ignore")[0]) for character in characters}
    del known["\x1b"]  # the escape itself: no character that anybody writes
    ours = dict.fromkeys(DEFAULT, 1) | dict.fromkeys(EXTENSION, 2)
    assert {character: septets for character, septets in known.items() if septets} == ours


@given(st.text(st.sampled_from(DEFAULT + EXTENSION + "سلام۱‌😀👍ç"), max_size=500))
def test_a_message_more_never_costs_less_and_all_is_carried(text: str) -> None:
    found = segments(text)
    alone, joined = (160, 153) if found.encoding == "gsm7" else (70, 67)
    assert found.count == 1 if found.units <= alone else -(-found.units // joined) <= found.count
    assert found.count * (joined - 1) <= max(found.units, 1) + found.count * joined
    assert segments(text + text[-1:]).count >= found.count
    assert (found.encoding == "gsm7") == (set(text) <= set(DEFAULT + EXTENSION))


@given(st.text(max_size=300))
def test_units_are_those_of_the_encoding(text: str) -> None:
    found = segments(text)
    extra = sum(map(text.count, EXTENSION))
    assert found.units == (len(text) + extra if found.encoding == "gsm7" else len(text.encode("utf-16-le")) // 2)
