"""Header fields of a mail that we write: whole lines, folded (RFC 5322 section 2.2.3), in ASCII (RFC 2047).

They are written here because Python's own writer takes long Message-IDs for words that it may encode.
"""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from typing import Final

from channels.typed import clean

EOL: Final = "\r\n"
_FOLD: Final = f"{EOL} "
_MOST_WORD_BYTES: Final = 39
"""So many bytes of UTF-8 in one encoded word: with its frame and a name, 76 characters (RFC 2047 section 2)."""

_LINE_CHARS: Final = 76
_PLAIN: Final = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*")
_ATOMS: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ID: Final = re.compile(r"<?([\x21-\x3b\x3d\x3f-\x7e]{1,500})>?")
_SPACES: Final = re.compile(r"\s+")
_MOST_SUBJECT_CHARS: Final = 2000
_MOST_NAME_CHARS: Final = 100
_FIRST_AND_LAST: Final = 40
"""So many references are kept: the first names the thread, the last ones what is answered."""


def one_line(text: str) -> str:
    """Without line ends and control characters, runs of space as one."""
    return _SPACES.sub(" ", clean(text)).strip()


def subject(text: str) -> str:
    """The field's whole text; a longer one than 2,000 characters is cut."""
    return _text("Subject", one_line(text)[:_MOST_SUBJECT_CHARS])


def mailbox(name: str, display: str, address: str) -> str:
    """A field with one address, `address` as the envelope has it."""
    shown = one_line(display)[:_MOST_NAME_CHARS]
    if not shown:
        return f"{name}: {address}"
    if _ATOMS.fullmatch(shown) and len(shown) < _LINE_CHARS // 2:
        return f"{name}: {shown} <{address}>"
    return f"{name}: {_FOLD.join([*_words(shown), f'<{address}>'])}"


def ids(name: str, given: Sequence[str]) -> str | None:
    """Message-IDs, each on a line of its own. None when none of them is one (RFC 5322 section 3.6.4)."""
    sound = list(dict.fromkeys(f"<{found[1]}>" for one in given if (found := _ID.fullmatch(one))))
    if not sound:
        return None
    kept = sound if len(sound) <= _FIRST_AND_LAST else [sound[0], *sound[1 - _FIRST_AND_LAST :]]
    return f"{name}: {_FOLD.join(kept)}"


def _text(name: str, text: str) -> str:
    """Unstructured text: as it is where every word fits into a line, else in encoded words."""
    if _PLAIN.fullmatch(text) and "=?" not in text and max(map(len, text.split(" "))) < _LINE_CHARS - len(name):
        return EOL.join(_folded(f"{name}: {text}"))
    return f"{name}: {_FOLD.join(_words(text))}"


def _folded(line: str) -> Iterator[str]:
    words = line.split(" ")
    at = words[0]
    for word in words[1:]:
        if len(at) + 1 + len(word) > _LINE_CHARS:
            yield at
            at = f" {word}"
        else:
            at = f"{at} {word}"
    yield at


def _words(text: str) -> Iterator[str]:
    """Encoded words of whole characters: space between two of them is not shown, so each line can hold one."""
    held = b""
    for letter in text:
        written = letter.encode()
        if len(held) + len(written) > _MOST_WORD_BYTES:
            yield _encoded(held)
            held = b""
        held += written
    yield _encoded(held)


def _encoded(held: bytes) -> str:
    return f"=?utf-8?b?{b64encode(held).decode()}?="
