"""Files in a mail of ours: a part each, with its fields (RFC 2183) and its bytes in base64.

The fields are written here because Python's own writer breaks some names over lines in the wrong place.
"""

import re
from binascii import b2a_base64
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from channels.email.fields import EOL, one_line
from channels.sending import Enclosed

_MEDIA_TYPE: Final = re.compile(
    r"(?!multipart/|message/)[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}"
)
_UNKNOWN: Final = "application/octet-stream"
# Also what turns the direction of writing around: an invoice that ends in "exe" must not look like one in "pdf".
_NOT_IN_NAMES: Final = re.compile(r'[/\\"<>|:*?\u202a-\u202e\u2066-\u2069\s]+')
_PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9._ ()+-]{1,50}")
_MOST_NAME_CHARS: Final = 100
_MOST_VALUE_CHARS: Final = 55
_LINE_BYTES: Final = 57


def part(file: Enclosed, number: int) -> bytes:
    """The part without a line before or after it. `number` is its name where it has none."""
    written = file.media_type.partition(";")[0].strip().lower()
    media_type = written if _MEDIA_TYPE.fullmatch(written) else _UNKNOWN
    head = (
        f"Content-Type: {media_type}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: attachment;{EOL} " + f";{EOL} ".join(_filename(_name(file.name or "") or f"{number}")),
    )
    return (EOL.join(head) + EOL + EOL).encode() + b"\r\n".join(_lines(file.content))


def _name(given: str) -> str:
    return _NOT_IN_NAMES.sub(" ", one_line(given))[-_MOST_NAME_CHARS:].strip(" .")


def _filename(name: str) -> Iterator[str]:
    """As parameters (RFC 2231 sections 3 and 4)."""
    if _PLAIN_NAME.fullmatch(name):
        yield f'filename="{name}"'
        return
    held, count = "utf-8''", 0
    for letter in name:
        quoted = quote(letter, safe="")
        if len(held) + len(quoted) > _MOST_VALUE_CHARS:
            yield f"filename*{count}*={held}"
            held, count = "", count + 1
        held += quoted
    yield f"filename*{count}*={held}" if count else f"filename*={held}"


def _lines(content: bytes) -> Iterator[bytes]:
    for at in range(0, len(content), _LINE_BYTES):
        yield b2a_base64(content[at : at + _LINE_BYTES], newline=False)
