"""Bytes to text: the declared charset first, then what the bytes themselves show.

Labels follow the WHATWG encoding standard where mail programs use a name loosely (`gb2312` is gb18030, `iso-8859-1` is
windows-1252): a superset reads everything its subset reads, and what senders really put there as well.
"""

import codecs
import re
from functools import lru_cache
from typing import Final

from charset_normalizer import from_bytes

_SAMPLE_BYTES: Final = 4096
_LONGEST_LABEL: Final = 60
_MOST_MENDED_BYTES: Final = 1_000_000
_TOLERATED_DAMAGE: Final = 0.1
"""Share of the 8-bit bytes that may be unreadable before we stop believing the label."""

_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_TO_CODEC: Final = {
    "ascii": "cp1252", "usascii": "cp1252", "ansix341968": "cp1252", "iso646us": "cp1252",
    "iso88591": "cp1252", "latin1": "cp1252", "l1": "cp1252", "88591": "cp1252", "windows1252": "cp1252",
    "iso88599": "cp1254", "latin5": "cp1254", "iso88598i": "iso8859_8", "iso88598e": "iso8859_8",
    "iso88596i": "iso8859_6", "iso88596e": "iso8859_6", "tis620": "cp874", "iso885911": "cp874",
    "windows874": "cp874", "windows31j": "cp932", "xsjis": "cp932", "sjis": "cp932", "shiftjis": "cp932",
    "mskanji": "cp932", "mscp932": "cp932", "windows932": "cp932", "xeucjp": "euc_jp",
    "gb2312": "gb18030", "gb231280": "gb18030", "gbk": "gb18030", "xgbk": "gb18030", "cp936": "gb18030",
    "windows936": "gb18030", "euccn": "gb18030", "xeuccn": "gb18030", "chinese": "gb18030", "gb": "gb18030",
    "big5": "big5hkscs", "xxbig5": "big5hkscs", "cnbig5": "big5hkscs", "big5hkscs": "big5hkscs",
    "ksc5601": "cp949", "ksc56011987": "cp949", "ksc56011989": "cp949", "euckr": "cp949", "korean": "cp949",
    "windows949": "cp949", "xwindows949": "cp949",
    "macintosh": "mac_roman", "xmacroman": "mac_roman", "mac": "mac_roman", "xmaccyrillic": "mac_cyrillic",
    "xmacce": "mac_latin2", "xmacgreek": "mac_greek", "xmacturkish": "mac_turkish",
    "utf8": "utf_8", "utf8mb4": "utf_8", "unicode11utf8": "utf_8", "cp65001": "utf_8", "unicode20utf8": "utf_8",
    "utf7": "utf_7", "unicode11utf7": "utf_7", "unicode20utf7": "utf_7", "xunicode20utf7": "utf_7",
    "ucs2": "utf_16", "iso10646ucs2": "utf_16", "unicode": "utf_16", "utf16": "utf_16", "unicodefffe": "utf_16_be",
    "iso2022jp": "iso2022_jp", "iso2022jp1": "iso2022_jp", "iso2022jp2": "iso2022_jp", "iso2022jp3": "iso2022_jp",
    "iso2022jpms": "iso2022_jp", "cp50220": "iso2022_jp", "cp50221": "iso2022_jp", "csiso2022jp": "iso2022_jp",
    "iso2022jpext": "iso2022_jp", "xwindowsiso2022jp": "iso2022_jp",
}  # fmt: skip
_NO_CHARSETS: Final = frozenset({"idna", "punycode", "unicodeescape", "rawunicodeescape", "mbcs", "oem", "palmos"})
"""Python's codecs that are none: a mail that names one must not reach it."""

_JIS_SHIFT: Final = re.compile(rb"\x1b(\$[@B]|\$\([@ABCDOQP]|\([ABJIH]|\.[AF]|N.)")
_FEW: Final = 12
_EIGHT_BIT: Final = re.compile(rb"[\x80-\xff]")
_LETTER: Final = re.compile(rb"[A-Za-z]")
_PLAUSIBLE: Final = [
    "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "koi8_r", "koi8_u",
    "iso8859_2", "cp932", "euc_jp", "gb18030", "big5", "cp949", "cp874", "utf_16", "utf_8", "ascii",
]  # fmt: skip
"""What mails are written in; charset-normalizer also knows EBCDIC and printers' sets, and likes them on short texts."""

_UNASSIGNED: Final = frozenset(b"\x81\x8d\x8f\x90\x9d")
_C1_AS_WINDOWS: Final = {n: bytes([n]).decode("cp1252") for n in range(0x80, 0xA0) if n not in _UNASSIGNED}
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf_8"),
    (codecs.BOM_UTF32_LE, "utf_32"),
    (codecs.BOM_UTF32_BE, "utf_32"),
    (codecs.BOM_UTF16_LE, "utf_16"),
    (codecs.BOM_UTF16_BE, "utf_16"),
)


def codec_of(label: str) -> str | None:
    """The Python codec for a charset label of a mail, or None when nobody knows the label."""
    return _codec(label) if len(label) <= _LONGEST_LABEL else None


@lru_cache(maxsize=256)
def _codec(label: str) -> str | None:
    key = re.sub(r"[^a-z0-9]", "", label.lower())
    if found := _TO_CODEC.get(key):
        return found
    name = re.sub(r"[^a-z0-9]+", "_", label.strip().lower()).strip("_")
    for candidate in (name, re.sub(r"^x_|^cp_", "", name), name.replace("windows_", "cp")):
        try:
            info = codecs.lookup(candidate)
        except (LookupError, ValueError):
            continue
        return info.name if _is_for_text(info.name) else None
    return None


def _is_for_text(codec: str) -> bool:
    """Python also calls compressions and ciphers codecs; those refuse to decode to text."""
    if re.sub(r"[^a-z0-9]", "", codec) in _NO_CHARSETS:
        return False
    try:
        b"a".decode(codec)
    except LookupError:
        return False
    except ValueError:
        return codec != "undefined"
    return True


def decode(data: bytes, declared: str | None = None, *, by_statistics: bool = True) -> str:
    """The text in `data`. Never fails: what no charset explains becomes U+FFFD.

    Without `by_statistics`, which take up to a millisecond, bytes of no charset are read as windows-1252.
    """
    codec = codec_of(declared) if declared else None
    if codec is None:
        return _guessed(data, by_statistics=by_statistics)
    if codec == "cp1252" and declared is not None and "ascii" in declared.lower() and not data.isascii():
        return _guessed(data, by_statistics=by_statistics)
    text = _as(data, codec, by_statistics=by_statistics)
    # Python's UTF-7 is its one charset that lets half a surrogate pair through.
    return text.encode("utf_16", "surrogatepass").decode("utf_16", "replace") if codec == "utf_7" else text


def _as(data: bytes, codec: str, *, by_statistics: bool) -> str:
    if codec == "iso2022_jp":
        return _japanese(data)
    if codec == "utf_16":
        codec = _byte_order(data)
    try:
        return _without_mark(data.decode(codec))
    except UnicodeDecodeError:
        return _without_mark(_mended(data, codec, by_statistics=by_statistics))
    except (UnicodeError, ValueError):
        return _guessed(data, by_statistics=by_statistics)


def _mended(data: bytes, codec: str, *, by_statistics: bool) -> str:
    """What is left when strict decoding failed: tolerate a little damage, else ask the bytes."""
    if codec == "cp1252":
        return _western(data)
    text = data.decode(codec, "replace")
    high = len(data) - len(data.translate(None, bytes(range(128, 256))))
    if text.count(_REPLACEMENT) <= max(1, high * _TOLERATED_DAMAGE):
        return text
    return _guessed(data, codec, by_statistics=by_statistics)


def _western(data: bytes) -> str:
    """windows-1252; its five unassigned bytes become the C1 controls they are in ISO 8859-1 (WHATWG)."""
    return data.decode("latin_1").translate(_C1_AS_WINDOWS)


def _guessed(data: bytes, fallback: str = "cp1252", *, by_statistics: bool) -> str:
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _without_mark(data.decode(codec, "replace"))
    if b"\x1b$" in data and data.isascii():
        return _japanese(data)
    try:
        return data.decode("utf_8")
    except UnicodeDecodeError:
        pass
    codec = _statistical(data) if by_statistics else None
    if codec is None:
        return _western(data) if fallback == "cp1252" else data.decode(fallback, "replace")
    return data.decode(_TO_CODEC.get(codec.replace("_", ""), codec), "replace")


def _statistical(data: bytes) -> str | None:
    """charset-normalizer's opinion on the neighbourhood of the first 8-bit byte. It sees a sample, never the whole.

    A few 8-bit bytes among many ASCII letters are accents of a western language: too little for statistics.
    """
    first = _EIGHT_BIT.search(data)
    start = max(0, (first.start() if first else 0) - _SAMPLE_BYTES // 8)
    sample = data[start : start + _SAMPLE_BYTES]
    high = len(_EIGHT_BIT.findall(sample))
    if high < _FEW and high * 3 < len(_LETTER.findall(sample)):
        return None
    best = from_bytes(sample, cp_isolation=_PLAUSIBLE).best()
    return None if best is None else best.encoding


def _japanese(data: bytes) -> str:
    """ISO-2022-JP with the vendor characters (circled digits, roman numerals) that the strict codec refuses.

    Every two-byte run is moved to Shift_JIS and read as cp932, as mail programs do (RFC 1468).
    """
    try:
        return data.decode("iso2022_jp_2")
    except UnicodeDecodeError:
        if len(data) > _MOST_MENDED_BYTES:
            return data.decode("iso2022_jp_2", "replace")
        pieces = _JIS_SHIFT.split(data)
    # Not by `decode`: an escape that nobody knows would lead here again, for ever.
    out = [pieces[0].decode("cp932", "replace")]
    for shift, run in zip(pieces[1::2], pieces[2::2], strict=True):
        if shift in {b"$@", b"$B", b"$(B"}:
            out.append(_jis_rows(run))
        elif shift == b"(I":
            out.append(bytes(byte | 0x80 for byte in run).decode("cp932", "replace"))
        else:
            out.append(run.decode("cp932", "replace"))
    return "".join(out)


def _jis_rows(run: bytes) -> str:
    moved = bytearray()
    at = 0
    while at < len(run):
        first, second = run[at], run[at + 1] if at + 1 < len(run) else 0
        if first in b"\r\n" or not (0x21 <= first <= 0x7E and 0x21 <= second <= 0x7E):  # noqa: PLR2004
            moved.append(first)
            at += 1
            continue
        lead = ((first - 0x21) >> 1) + 0x81
        moved.append(lead if lead <= 0x9F else lead + 0x40)  # noqa: PLR2004
        moved.append(second + 0x7E if not first % 2 else second + 0x1F + (second >= 0x60))  # noqa: PLR2004
        at += 2
    return moved.decode("cp932", "replace")


def _byte_order(data: bytes) -> str:
    if data[:2] in {codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE}:
        return "utf_16"
    return "utf_16_le" if data[1::2].count(0) > data[::2].count(0) else "utf_16_be"


def _without_mark(text: str) -> str:
    return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")
