"""The short name of an event for people: read out on the phone, typed into a search (`7K3M-2QXD`)."""

from typing import Final
from uuid import UUID

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 8
_REST_BITS: Final = 128 - 5 * _LENGTH
# Crockford: what people mistake for another is that other one. https://www.crockford.com/base32.html
_ALIKE: Final = str.maketrans("OIL", "011", "- \u200c\u200e\u200f")


def reference(event_id: UUID) -> str:
    """The first 40 bits of the id in Crockford's base 32: one in 10¹² to be that of another event, so search by it."""
    number = event_id.int >> _REST_BITS
    letters = "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
    return f"{letters[:4]}-{letters[4:]}"


def parse_reference(text: str) -> tuple[UUID, UUID]:
    """The lowest and the highest id that have this reference; case, hyphens, spaces and the script of digits are free.

    Raises:
        ValueError: it is no reference. The sentence says why.
    """
    letters = "".join(_letter(char) for char in text.upper().translate(_ALIKE))
    if len(letters) != _LENGTH:
        raise ValueError(f"A reference has {_LENGTH} letters and digits, like 7K3M-2QXD; this has {len(letters)}.")
    number = 0
    for letter in letters:
        number = number << 5 | _ALPHABET.index(letter)
    lowest = number << _REST_BITS
    return UUID(int=lowest), UUID(int=lowest | (1 << _REST_BITS) - 1)


def _letter(char: str) -> str:
    letter = str(int(char)) if char.isdecimal() else char
    if letter not in _ALPHABET:
        raise ValueError(
            f"A reference has no {char!r} in it: it has digits and the letters A to Z without I, L, O and U."
        )
    return letter
