"""Twilio's signature as its documentation describes it, for both peers."""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def is_signed(token: str, url: str, form: Mapping[str, str], given: str) -> bool:
    signed = url + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()
    return hmac.compare_digest(base64.b64encode(digest).decode(), given)
