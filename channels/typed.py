"""What people typed, as it may be kept: whole Unicode, line feeds only, nothing that only programs send."""

import re
from typing import Final

# Line ends and tabs stay; other control characters come from programs, not from people.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def clean(text: str) -> str:
    """The text with line feeds only, without control characters and without space at its ends.

    Half of a surrogate pair, as a script makes it that cuts a text in the middle of an emoji, becomes U+FFFD: no
    UTF-8 can hold it.
    """
    if text.isprintable():  # then there are neither controls nor line ends nor halves in it
        return text.strip()
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
