"""How Twilio puts and signs a request, whatever it is about: parameters, spellings of the URL, the signature.

Source: https://www.twilio.com/docs/usage/security#validating-requests
"""

import hashlib
import hmac
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from typing import Final
from urllib.parse import parse_qs, urlsplit

import orjson

from channels.contract import InboundRequest
from channels.errors import BadSignature, Malformed
from channels.signing import twilio_digest
from channels.urlencoded import Pairs, read_pairs

Params = Mapping[str, str]

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_MOST_CHARS: Final = 32_768
"""Twilio's texts have at most 1,600. In JSON a character has up to six bytes, so these fit into a fact."""


def check_signature(
    request: InboundRequest, tokens: Collection[bytes], added_later: frozenset[str] = frozenset()
) -> None:
    """Check `X-Twilio-Signature` over the public URL and the form, or over the URL with the body's SHA-256.

    `added_later` names parameters that Twilio may put in after it has signed: it passes with each of them and without.

    Raises:
        BadSignature: it is missing, or fits no spelling of the URL with any of these auth tokens.
    """
    header = request.header("x-twilio-signature")
    if header is None:
        raise BadSignature("There is no X-Twilio-Signature header.")
    given = header.encode("utf-8", "replace")
    for params in _signed_sets(request, added_later):
        for url in spellings(request.url):
            for token in tokens:
                if hmac.compare_digest(twilio_digest(token, url, params), given):
                    return
    raise BadSignature("X-Twilio-Signature fits neither the public URL with this body nor any auth token.")


def _signed_sets(request: InboundRequest, added_later: frozenset[str]) -> Iterator[Pairs]:
    params = signed_params(request)
    yield params
    there = sorted(added_later.intersection(name for name, _ in params)) if added_later else ()
    for count in range(1, len(there) + 1):
        for left_out in combinations(there, count):
            yield tuple(pair for pair in params if pair[0] not in left_out)


def signed_params(request: InboundRequest) -> Pairs:
    """The parameters that the signature covers beside the URL.

    Raises:
        BadSignature: the body is no form, and the URL holds no SHA-256 of it or that of another body.
    """
    if _is_form(request):
        return read_pairs(request.body)
    if request.body:
        _check_digest(request)
    return ()


def read_params(request: InboundRequest) -> Params:
    """The parameters by name, without NULs, which no database holds as text; of a repeated one the last.

    Raises:
        Malformed: the body is neither a form nor a JSON object, or the values have more than 32,768 characters.
    """
    params = _written_params(request)
    text = "".join(params.values())
    if len(text) > _MOST_CHARS:
        raise Malformed(f"The parameters have {len(text)} characters; {_MOST_CHARS} are the most.")
    return {name: value.replace("\0", "") for name, value in params.items()} if "\0" in text else params


def _written_params(request: InboundRequest) -> dict[str, str]:
    if _is_form(request):
        return dict(read_pairs(request.body))
    if not request.body:
        return dict(read_pairs(_query(request.url).encode()))
    try:
        document = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"The body is no JSON: {error.msg} at byte {error.pos}.") from error
    if not isinstance(document, dict):
        raise Malformed("The body is JSON, but no object.")
    return {str(name): _as_text(value) for name, value in document.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def spellings(url: str) -> Iterator[str]:
    """The URL as it was called, then with its port left out or put in: Twilio signs either, depending on its age."""
    yield url
    try:
        parts = urlsplit(url)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
        written = parts.port is not None
    except ValueError:
        return
    if port is None:
        return
    host = parts.netloc.removesuffix(f":{port}")
    yield parts._replace(netloc=host if written else f"{host}:{port}").geturl()


def _is_form(request: InboundRequest) -> bool:
    kind = request.header("content-type")
    return request.method != "GET" and (kind is None or kind.lower().startswith("application/x-www-form-urlencoded"))


def _check_digest(request: InboundRequest) -> None:
    expected = parse_qs(_query(request.url)).get("bodySHA256", [""])[-1]
    actual = hashlib.sha256(request.body).hexdigest()
    if not hmac.compare_digest(actual.encode(), expected.lower().encode()):
        raise BadSignature("The body is no form, and bodySHA256 in the URL is missing or that of another body.")


def _query(url: str) -> str:
    return url.partition("#")[0].partition("?")[2]


def _as_text(value: object) -> str:
    match value:
        case str():
            return value
        case None:
            return ""
        case _:
            return orjson.dumps(value).decode()
