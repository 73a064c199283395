"""What a parser made of a request, and whether it may be so."""

import signal
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any, Final

import orjson

from channels.chat import widget_frames as frames
from channels.chat.widget import Widget
from channels.contract import Channel, Heard, InboundRequest, answering
from channels.errors import BadSignature, Malformed
from schemas.event import read_fact
from schemas.fact import join
from services.record.facts import LIMIT_BYTES

CPU_SECONDS: Final = 2.0
"""So much CPU time may one request take, verified and read twice; bodies have at most 256 KB."""

_ROOT: Final = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`found` in a word or two. `fault` names what must not be, the same for each request that shows it."""

    found: str
    fault: str | None = None
    detail: str = ""


class _Hanging(BaseException):
    """Out of CPU time; no `except Exception` of a parser catches it."""


class _Wrong(Exception):
    """Facts came out, but not such as the record takes."""


def judge(name: str, parser: Channel, request: InboundRequest, *, twice: bool = True) -> Verdict:
    """Verify, read (`twice`) and look at what was heard; only `BadSignature` and `Malformed` may be raised."""
    try:
        with _within(CPU_SECONDS):
            return Verdict(_found(name, parser, request, twice=twice))
    except _Wrong as error:
        return Verdict("wrong", *str(error).split("\n", 1))
    except _Hanging as error:
        # Where it was differs from one time to the next.
        return Verdict("slow", f"more than {CPU_SECONDS} s of CPU time", _place(error))
    except Exception as error:  # noqa: BLE001 - what a fuzzer is for
        return Verdict("error", f"{type(error).__name__} at {_place(error)}", f"{error!s:.500}")


def _found(name: str, parser: Channel, request: InboundRequest, *, twice: bool) -> str:
    is_genuine = True
    try:
        parser.verify(request)
    except BadSignature as error:
        is_genuine = False
        _storable("a refusal", str(error))
    if is_genuine:
        answering(parser, request)
    if isinstance(parser, Widget):
        _frame(request.body)
    heard = _heard(parser, request)
    if twice and heard != _heard(parser, request):
        raise _Wrong("read twice it is not the same")
    if isinstance(heard, str):
        _storable("a refusal", heard)
        return "malformed"
    _sound(name, heard)
    return ("events" if heard else "nothing to say") + ("" if is_genuine else ", not genuine")


def _heard(parser: Channel, request: InboundRequest) -> list[Heard] | str:
    try:
        return list(parser.parse(request))
    except Malformed as error:
        return f"{error}"


def _frame(body: bytes) -> None:
    """What the socket does with one frame."""
    for read in (frames.hello, frames.said):
        try:
            read(frames.read(body))
        except Malformed as error:
            _storable("a refusal", str(error))


def _sound(name: str, heard: Sequence[Heard]) -> None:
    keys = [(one.source_key, one.fact.type) for one in heard]
    blobs = [blob.blob_id for one in heard for blob in one.blobs]
    if len(set(keys)) < len(keys) or len(set(blobs)) < len(blobs):
        raise _Wrong("two facts or two blobs have one id")
    for one in heard:
        _one(name, one)


def _one(name: str, one: Heard) -> None:
    clear, personal = one.fact.clear_json(), one.fact.personal_json()
    published = join(clear, personal)
    if read_fact(published) != one.fact:
        raise _Wrong(f"{one.fact.type} is not the same when it is read back")
    if len(clear) + len(personal or b"") > LIMIT_BYTES:
        raise _Wrong(f"{one.fact.type} is larger than a fact may be\n{len(published)} bytes")
    if one.fact.personal is None or one.fact.personal.address != one.address:
        raise _Wrong(f"{one.fact.type} names another address than it was heard from\n{one.address!r}")
    if getattr(one.fact, "channel", name) != name:
        raise _Wrong(f"{one.fact.type} names another channel")
    one.source_key.encode()  # only ids are made of it
    _storable("an address", one.address)
    if b"\\u0000" in published:
        _texts(one.fact.type, orjson.loads(published))
    if one.occurred_at is not None:
        if one.occurred_at.utcoffset() is None:
            raise _Wrong(f"{one.fact.type} happened at a time without a zone")
        one.occurred_at.astimezone(UTC)


def _texts(where: str, found: Any) -> None:
    match found:
        case str():
            _storable(where, found)
        case dict():
            for key, value in found.items():  # pyright: ignore[reportUnknownVariableType]
                _texts(where, key)
                _texts(where, value)
        case list():
            for value in found:  # pyright: ignore[reportUnknownVariableType]
                _texts(where, value)
        case _:
            pass


def _storable(where: str, text: str) -> None:
    """A text that PostgreSQL and JSON take: UTF-8 without NUL."""
    if "\0" in text:
        raise _Wrong(f"a NUL stands in {where}\n{text!r:.300}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise _Wrong(f"half a surrogate pair stands in {where}\n{text!r:.300}") from error


def digest(parser: Channel, request: InboundRequest) -> str:
    """One short text for all that is read from a request."""
    heard = _heard(parser, request)
    if isinstance(heard, str):
        return sha256(heard.encode()).hexdigest()[:16]
    found = sha256()
    for one in heard:
        blobs = [(str(blob.blob_id), sha256(blob.content).hexdigest()) for blob in one.blobs]
        told = (one.source_key, one.address, str(one.occurred_at), one.fact.clear_json(), one.fact.personal_json())
        found.update(repr((told, blobs)).encode())
    return found.hexdigest()[:16]


def shape(parser: Channel, request: InboundRequest) -> tuple[object, ...]:
    """What kind of thing is heard, roughly: two requests of one shape are much alike."""
    heard = _heard(parser, request)
    if isinstance(heard, str):
        return (heard[:24],)
    kinds: list[object] = []
    for one in heard[:4]:
        personal = one.fact.personal
        given = () if personal is None else tuple(name for name, value in personal if value)
        short = [(name, value) for name, value in one.fact if isinstance(value, str) and len(value) < 24]
        kinds.append((given, tuple(short), len(one.blobs), one.occurred_at is None))
    return (min(len(heard), 4), *kinds)


def _place(error: BaseException) -> str:
    """The innermost line of the project in which it happened."""
    steps = [step for step in traceback.extract_tb(error.__traceback__) if "/channels/" in step.filename]
    steps = [step for step in steps if step.filename.startswith(str(_ROOT)) and "/.venv/" not in step.filename]
    steps = steps or traceback.extract_tb(error.__traceback__)
    return f"{Path(steps[-1].filename).name}:{steps[-1].lineno} in {steps[-1].name}" if steps else "no place"


@contextmanager
def _within(seconds: float) -> Generator[None]:
    def ring(_signal: int, _frame: FrameType | None) -> None:
        raise _Hanging

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
