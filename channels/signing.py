"""Signatures of providers, made: for verifying, for tests and for developers of gateways (`tamas sign`, `deliver`)."""

import hashlib
import hmac
from base64 import b64encode
from binascii import b2a_base64
from collections.abc import Iterable
from itertools import chain


def sign_twilio(token: str, url: str, params: Iterable[tuple[str, str]] = ()) -> str:
    """The value of `X-Twilio-Signature`: HMAC-SHA1 in base64 over the URL and each name with its value, sorted.

    A value that a name has twice counts once. A JSON body is signed by its URL alone, see `with_body_digest`.
    Source: https://www.twilio.com/docs/usage/security#validating-requests
    """
    return twilio_digest(token.encode(), url, params).decode()


def twilio_digest(token: bytes, url: str, params: Iterable[tuple[str, str]]) -> bytes:
    """As `sign_twilio`, in bytes: compared on the hot path."""
    # Sorting the set of pairs sorts by name, then by value, and drops what is there twice: all that the scheme asks.
    signed = url + "".join(chain.from_iterable(sorted(set(params))))
    return b2a_base64(hmac.digest(token, signed.encode("utf-8", "replace"), "sha1"), newline=False)


def with_body_digest(url: str, body: bytes) -> str:
    """The URL with `bodySHA256` in its query, by which Twilio covers a body that is no form."""
    joint = "&" if "?" in url else "?"
    return f"{url}{joint}bodySHA256={hashlib.sha256(body).hexdigest()}"


def form_mac(secret: str, payload: bytes) -> bytes:
    """HMAC-SHA256 over the payload of a form's token, in URL-safe base64 without padding."""
    digest = hmac.digest(secret.encode(), payload, "sha256")
    return b64encode(digest, b"-_").rstrip(b"=")


def visitor_proof(key: str, visitor: str) -> str:
    """HMAC-SHA256 of a user's id under the inbox's `proof_key`, in hex: made on the site's own server for its page."""
    return hmac.digest(key.encode(), visitor.encode("utf-8", "replace"), "sha256").hex()
