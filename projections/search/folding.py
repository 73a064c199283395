"""Text as it is searched: what people write in several ways is one way here, stored and asked alike."""

import re
import unicodedata
from itertools import islice
from typing import Final

# Persian keyboards and Arabic ones, and what stays of a letter whose hamza was taken off by decomposition.
_LETTERS: Final = str.maketrans(
    {
        "ي": "ی",
        "ى": "ی",
        "ۍ": "ی",
        "ې": "ی",
        "ك": "ک",
        "ڪ": "ک",
        "ة": "ه",
        "ە": "ه",
        "ہ": "ه",
        "ھ": "ه",
        "ۃ": "ه",
        "ٱ": "ا",
        "\u200c": " ",
        **{chr(0x0660 + digit): str(digit) for digit in range(10)},
        **{chr(0x06F0 + digit): str(digit) for digit in range(10)},
    }
)
# Accents, Arabic vowel marks and hamzas above a letter, tatweel, and characters that only steer the writing direction.
_DROPPED: Final = re.compile(
    "[\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0621\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u08d3-\u08e1\u08e3-\u08ff"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe00-\ufe0f\ufe20-\ufe2f"
    "\u00ad\u061c\u180e\u200b\u200d-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]+"
)
_WORD: Final = re.compile(r"[^\W_]+")
_ZWNJ: Final = "\u200c"
_MOST_CHARACTERS: Final = 20_000
_MOST_WORDS: Final = 1_000
_LONGEST: Final = 40
"""Letters of a word that count."""


def fold_text(text: str) -> str:
    """Compatibility forms, case, accents, digits and the variants of Arabic letters folded; idempotent.

    A zero-width non-joiner becomes a space, tatweel, vowel marks and a lone hamza vanish. Punctuation stays.
    Source: Unicode 15, 3.13 (NFKC_Casefold); https://www.unicode.org/reports/tr15/
    """
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return unicodedata.normalize("NFC", _DROPPED.sub("", plain).translate(_LETTERS))


def words_of(text: str) -> set[str]:
    """The words of a text as they are found: at most 1,000, of its first 20,000 characters.

    Parts that a zero-width non-joiner keeps apart count as words of their own and, joined, as one.
    """
    text = text[:_MOST_CHARACTERS]
    words = set(islice(_words(text), _MOST_WORDS))
    if _ZWNJ in text:
        words.update(islice(_words(text.replace(_ZWNJ, "")), _MOST_WORDS - len(words)))
    return words


def asked_words(text: str) -> tuple[tuple[str, ...], ...]:
    """What has to be there, each as the beginning of a word: all of one of these; () where nothing can be found."""
    apart = tuple(dict.fromkeys(_words(text)))
    joined = tuple(dict.fromkeys(_words(text.replace(_ZWNJ, ""))))
    return tuple(dict.fromkeys(words for words in (apart, joined) if words))


def excerpt(text: str, asked: tuple[tuple[str, ...], ...], length: int) -> str:
    """So many characters of a text, in one line, around the first word that was asked for; else its beginning."""
    line = " ".join(text[:_MOST_CHARACTERS].split())
    at = _first(line, {word for words in asked for word in words})
    begins = max(0, min(at - length // 4, len(line) - length))
    # Not in the middle of a word.
    begins = 0 if begins == 0 else line.rfind(" ", 0, begins + 1) + 1
    part = line[begins : begins + length]
    return ("…" if begins else "") + part + ("…" if begins + length < len(line) else "")


def _first(line: str, wanted: set[str]) -> int:
    for found in re.finditer(r"\S+", line):
        if any(word.startswith(one) for word in words_of(found[0]) for one in wanted):
            return found.start()
    return 0


def _words(text: str) -> "list[str]":
    return [word[:_LONGEST] for word in _WORD.findall(fold_text(text))]
