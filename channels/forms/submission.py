"""What was posted, before anybody asks whether it fits the form: urlencoded, multipart or JSON."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from typing import Final

import orjson
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from channels.contract import InboundRequest
from channels.errors import Malformed
from channels.typed import clean
from channels.urlencoded import Pairs, read_pairs

_MOST_PARTS: Final = 300
_JSON: Final = "application/json"
_MULTIPART: Final = "multipart/form-data"
_URLENCODED: Final = "application/x-www-form-urlencoded"
# A post is verified, read and answered at once. A few short ones in hand are enough, as in `channels.urlencoded`.
_IN_HAND: Final = 16
_IN_HAND_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class File:
    """A file that was chosen in the form."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """Values by field name as text (a ticked box is `true`), and the files. `is_page`: posted by a page of ours."""

    values: Mapping[str, str]
    files: tuple[File, ...]
    is_page: bool


def read(request: InboundRequest) -> Submission:
    """Read the body by its Content-Type.

    Raises:
        Malformed: another type, or a body that is not what its type says.
    """
    written = request.header("content-type") or _URLENCODED
    kind = written.partition(";")[0].strip().lower()
    if kind == _MULTIPART:
        pairs, files = _multipart(written, request.body)
        return Submission(_texts(pairs), files, is_page=True)
    return _read_once(kind, request.body) if len(request.body) <= _IN_HAND_BYTES else _read(kind, request.body)


def _read(kind: str, body: bytes) -> Submission:
    match kind:
        case "application/x-www-form-urlencoded":
            return Submission(_texts(read_pairs(body)), (), is_page=True)
        case "application/json":
            return Submission(_json(body), (), is_page=False)
        case _:
            raise Malformed(f"A form takes {_URLENCODED}, {_MULTIPART} or {_JSON}.")


_read_once = lru_cache(maxsize=_IN_HAND)(_read)


def _texts(pairs: Pairs) -> dict[str, str]:
    return {_name(name): clean(value) for name, value in reversed(pairs)}


def _json(body: bytes) -> dict[str, str]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is no JSON: {error.msg} at byte {error.pos}.") from error
    if not isinstance(document, dict):
        raise Malformed("The body is JSON, but no object.")
    return {_name(name): _json_text(_name(name), value) for name, value in document.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _name(written: str) -> str:
    """A field's name as a refusal may quote it: what a person reads of it, and no database is given a NUL."""
    return written.replace("\0", "\ufffd")


def _json_text(name: str, value: object) -> str:
    match value:
        case str():
            return clean(value)
        case True:
            return "true"
        case False:
            return "false"
        case None:
            return ""
        case int() | float():
            return str(value)
        case _:
            raise Malformed(f"{name} is neither a text nor a number nor true or false.")


@dataclass(slots=True)
class _Parts:
    """Callbacks of the multipart parser, which feeds bytes piece by piece."""

    pairs: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    files: list[File] = field(default_factory=list[File])
    headers: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])
    name: bytes = b""
    value: bytes = b""
    content: BytesIO = field(default_factory=BytesIO)
    count: int = 0
    is_whole: bool = False

    def begin(self) -> None:
        self.headers, self.content = {}, BytesIO()
        self.count += 1
        if self.count > _MOST_PARTS:
            raise Malformed(f"The form has more than {_MOST_PARTS} parts.")

    def header_name(self, data: bytes, start: int, end: int) -> None:
        self.name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        self.headers[self.name.lower()] = self.value
        self.name = self.value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self.content.write(data[start:end])

    def end(self) -> None:
        _, options = parse_options_header(self.headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            self.pairs.append((name, self.content.getvalue().decode("utf-8", "replace")))
        elif options[b"filename"]:  # a browser sends an empty one where no file was chosen
            media_type, _ = parse_options_header(self.headers.get(b"content-type", b"application/octet-stream"))
            file_name = clean(options[b"filename"].decode("utf-8", "replace"))
            self.files.append(File(file_name, clean(media_type.decode("latin-1")), self.content.getvalue()))

    def whole(self) -> None:
        self.is_whole = True


def _multipart(content_type: str, body: bytes) -> tuple[Pairs, tuple[File, ...]]:
    _, options = parse_options_header(content_type.encode("utf-8", "replace"))
    boundary = options.get(b"boundary")
    if not boundary:
        raise Malformed("The Content-Type of the form has no boundary.")
    parts = _Parts()
    callbacks = {
        "on_part_begin": parts.begin,
        "on_header_field": parts.header_name,
        "on_header_value": parts.header_value,
        "on_header_end": parts.header_end,
        "on_part_data": parts.data,
        "on_part_end": parts.end,
        "on_end": parts.whole,
    }
    try:
        parser = MultipartParser(boundary, callbacks)  # pyright: ignore[reportArgumentType]
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise Malformed(f"The multipart body cannot be read: {error}.") from error
    if not parts.is_whole:
        raise Malformed("The multipart body is cut off before its last boundary.")
    return tuple(parts.pairs), tuple(parts.files)
