"""What people typed, as it may be kept: whole Unicode, line feeds only, nothing that only programs send."""

from typing import Final

# Line ends and tabs stay; other control characters come from programs, not from people.
_CONTROLS: Final = dict.fromkeys([*range(9), 11, 12, *range(14, 32), 127])


def clean(text: str) -> str:
    """The text with line feeds only, without control characters and without space at its ends.

    Half of a surrogate pair, as a script makes it that cuts a text in the middle of an emoji, becomes U+FFFD: no
    UTF-8 can hold it.
    """
    if not text.isascii():
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS).strip()
