"""Content-Transfer-Encoding undone (RFC 2045 section 6), and uuencode, which came before it."""

import binascii
import re
from typing import Final

_BASE64: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NOT_BASE64: Final = bytes(set(range(256)) - set(_BASE64))
_BLANK: Final = b" \t\r\n"
_STRANGE_SHARE: Final = 0.05
_TRAILING_BLANKS: Final = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_MOST_CHAINED: Final = 1000
_MOST_UU_FILES: Final = 100
_UU_BEGIN: Final = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} ([^\r\n]{1,255})\r?\n", re.MULTILINE)
_UU_END: Final = re.compile(rb"^(?:end|====)[ \t]*\r?$\n?", re.MULTILINE)


def decode(data: bytes, encoding: str) -> tuple[bytes, bool]:
    """The content and whether the encoding was damaged. An encoding nobody knows leaves the bytes as they are."""
    match encoding:
        case "base64":
            return _base64(data)
        case "quoted-printable":
            return quoted_printable(data), False
        case "x-uuencode" | "uuencode" | "x-uue":
            files = uuencoded(data)
            return (files[0][1], False) if files else (data, True)
        case _:
            return data, False


def quoted_printable(data: bytes) -> bytes:
    """Decode; an escape that is none stays as it was written."""
    if b"=" not in data:
        return _TRAILING_BLANKS.sub(b"", data)
    # In a run of equals signs only the last can begin an escape; the second pass finds the pairs that the first made.
    data = _TRAILING_BLANKS.sub(b"", data).replace(b"==", b"=3D=").replace(b"==", b"=3D=")
    return binascii.a2b_qp(data)


def _base64(data: bytes) -> tuple[bytes, bool]:
    """Decode leniently: text that only claims to be base64 stays, and so does a footer behind the padding."""
    strange = data.translate(None, _BASE64 + b"=" + _BLANK)
    if len(strange) > len(data) * _STRANGE_SHARE or data.strip(b"\r\n").count(b" ") > len(data) * _STRANGE_SHARE:
        padding = data.find(b"=")
        return (data, True) if padding < 0 else _before_footer(data, padding)
    stop = data.find(b"=")
    rest = data[stop:].lstrip(b"=" + _BLANK) if stop >= 0 else b""
    if rest:
        return _chained(data), bool(strange)
    return _quantum(data), bool(strange)


def _before_footer(data: bytes, padding: int) -> tuple[bytes, bool]:
    head, footer = data[:padding], data[padding:].lstrip(b"=")
    if head.translate(None, _BASE64 + _BLANK) or b" " in head.strip():
        return data, True
    return _quantum(head) + footer, True


def _chained(data: bytes) -> bytes:
    """Several encodings glued together, each with its padding."""
    return b"".join(_quantum(piece) for piece in re.split(rb"=+", data, maxsplit=_MOST_CHAINED) if piece.strip())


def _quantum(data: bytes) -> bytes:
    pure = data.translate(None, _NOT_BASE64)
    pure = pure[: len(pure) - (len(pure) % 4 == 1)]
    return binascii.a2b_base64(pure + b"=" * (-len(pure) % 4))


def uuencoded(data: bytes) -> list[tuple[str, bytes]]:
    """Files that stand uuencoded in a text, as (name, content)."""
    return [(name, content) for name, content, _, _ in _uu_blocks(data)]


def without_uuencoded(data: bytes) -> bytes:
    """The text with its uuencoded files taken out."""
    out: list[bytes] = []
    at = 0
    for _, _, start, end in _uu_blocks(data):
        out.append(data[at:start])
        at = end
    return b"".join(out) + data[at:]


def _uu_blocks(data: bytes) -> list[tuple[str, bytes, int, int]]:
    blocks: list[tuple[str, bytes, int, int]] = []
    at = 0
    while len(blocks) < _MOST_UU_FILES and (begin := _UU_BEGIN.search(data, at)):
        end = _UU_END.search(data, begin.end())
        if end is None:
            break
        content = _uu_lines(data[begin.end() : end.start()], is_base64=b"-base64" in begin[0][:14])
        at = end.end()
        if content is not None:
            blocks.append((begin[1].decode("utf_8", "replace").strip(), content, begin.start(), end.end()))
    return blocks


def _uu_lines(body: bytes, *, is_base64: bool) -> bytes | None:
    if is_base64:
        return _quantum(body)
    out: list[bytes] = []
    for line in body.splitlines():
        if not line.strip() or line in {b"`", b" "}:
            continue
        try:
            out.append(binascii.a2b_uu(line))
        except binascii.Error:
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                out.append(binascii.a2b_uu(line[:length]))
            except binascii.Error:
                return None
    return b"".join(out) or None
