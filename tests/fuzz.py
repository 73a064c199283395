"""`python -m tests.fuzz KIND/PROVIDER SECONDS`: a parser on broken variants of what its provider sends.

Nothing but events, `BadSignature` and `Malformed` may come out, in time. What breaks that is kept in build/fuzz.
"""

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Final

from channels.contract import Channel, InboundRequest
from channels.errors import BadSignature, Malformed
from tests.channels.samples import SAMPLES, channel

KEPT: Final = Path("build/fuzz")
SLOW_SECONDS: Final = 2.0
MOST_BYTES: Final = 256 * 1024


def _cut(body: bytes, chance: Random) -> bytes:
    start, end = sorted((chance.randrange(len(body) + 1), chance.randrange(len(body) + 1)))
    return body[:start] + body[end:]


def _repeated(body: bytes, chance: Random) -> bytes:
    start, end = sorted((chance.randrange(len(body) + 1), chance.randrange(len(body) + 1)))
    return (body[:end] + body[start:end] * chance.choice((1, 3, 50)) + body[end:])[:MOST_BYTES]


def _noise(body: bytes, chance: Random) -> bytes:
    broken = bytearray(body or b"\0")
    for _ in range(chance.choice((1, 4, 32))):
        broken[chance.randrange(len(broken))] = chance.randrange(256)
    return bytes(broken)


def _inserted(body: bytes, chance: Random) -> bytes:
    at = chance.randrange(len(body) + 1)
    piece = chance.choice(
        (b"\0", b"\r\n", b"\r\n\r\n", b"%", b"=?", b"?=", b"{" * 2000, b"--b", b"\xff\xfe", b"\x1b$B")
    )
    return body[:at] + piece + body[at:]


CHANGES: Final[tuple[Callable[[bytes, Random], bytes], ...]] = (_cut, _repeated, _noise, _inserted)


def broken(request: InboundRequest, chance: Random) -> InboundRequest:
    """The request with one to four changes to its body."""
    body = request.body
    for _ in range(chance.randint(1, 4)):
        body = chance.choice(CHANGES)(body, chance)
    return replace(request, body=body)


def outcome(parser: Channel, request: InboundRequest) -> str:
    """What came out, in one word or two; `error …` and `slow` are faults."""
    started = time.perf_counter()
    try:
        parser.verify(request)
    except BadSignature:
        pass
    except Exception as error:  # noqa: BLE001 - what a fuzzer is for
        return f"error in verify: {error!r}"
    try:
        heard = parser.parse(request)
    except Malformed:
        found = "malformed"
    except Exception as error:  # noqa: BLE001 - the same
        return f"error in parse: {error!r}"
    else:
        found = "events" if heard else "nothing to say"
    return "slow" if time.perf_counter() - started > SLOW_SECONDS else found


def is_fault(found: str) -> bool:
    return found == "slow" or found.startswith("error")


def fuzz(name: str, seconds: float, chance: Random) -> Counter[str]:
    """Outcomes by how often; a body that shows a fault is kept."""
    parser, samples = channel(name), SAMPLES[name].genuine
    counted: Counter[str] = Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        request = broken(chance.choice(samples), chance)
        found = outcome(parser, request)
        if is_fault(found) and found not in counted:
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / sha256(request.body).hexdigest()[:16]).write_bytes(request.body)
        counted[found] += 1
    return counted


def main(arguments: list[str]) -> int:
    name, seconds, *_ = *arguments, "60"
    if name not in SAMPLES:
        print(f"Say which parser: make fuzz PARSER=… with one of {', '.join(SAMPLES)}", file=sys.stderr)
        return 2
    logging.disable()  # python-multipart tells of every broken part
    seed = int(arguments[2]) if len(arguments) > 2 else time.time_ns()
    counted = fuzz(name, float(seconds), Random(seed))  # noqa: S311 - a repeatable choice
    print(f"{name}: {counted.total()} requests, seed {seed}")
    for found, count in counted.most_common():
        print(f"  {count:9} {found}")
    faults = [found for found in counted if is_fault(found)]
    if faults:
        print(f"The bodies that did it are in {KEPT}.", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:] or [""]))
