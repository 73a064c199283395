"""Bodies of type application/x-www-form-urlencoded, read once for verify and parse.

Format: https://url.spec.whatwg.org/#urlencoded-parsing
"""

from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl

from can_ada import URLSearchParams

Pairs = tuple[tuple[str, str], ...]

# A verified request is parsed right after: a few bodies in hand are enough, more would keep personal data in memory.
_IN_HAND: Final = 16


@lru_cache(maxsize=_IN_HAND)
def read_pairs(body: bytes) -> Pairs:
    """Names and values in the order of the body, repeats kept; what is not UTF-8 becomes U+FFFD, as in browsers."""
    text = body.decode("utf-8", "replace")
    # The compiled parser would drop a leading "?", which belongs to the first name of a body.
    if not text.startswith("?"):
        try:
            return tuple(URLSearchParams(text))
        except UnicodeDecodeError:
            pass  # it has percent escapes that are not UTF-8, which the compiled parser refuses to replace
    return tuple(parse_qsl(text, keep_blank_values=True))
