"""How sure it is that a mail comes from the address in its From: by our own server's word only (RFC 8601)."""

import re
from typing import Final

from channels.email.mime import Mail
from schemas.fact import Assurance

_METHODS: Final = ("dmarc", "dkim", "spf", "arc")
_RESULT: Final = re.compile(r"^\s*([a-z-]{1,30})(?:/\d{1,3})?\s*=\s*([a-z]{1,20})", re.IGNORECASE)
_FROM: Final = re.compile(r"\bheader\.from\s*=\s*\"?(?:[^\s;@\"]{0,200}@)?([\w.-]{1,253})", re.IGNORECASE)
_SIGNER: Final = re.compile(r"\bheader\.d\s*=\s*\"?([\w.-]{1,253})", re.IGNORECASE)
_COMMENT: Final = re.compile(r"\([^()]{0,500}\)")
_MOST_CHARS: Final = 8192


def assess(mail: Mail, authserv_id: str | None) -> tuple[Assurance, tuple[str, ...]]:
    """How far the From is proven, and the results that say so (`dmarc=pass`), without names or domains.

    Only the uppermost Authentication-Results with our own id counts: whatever stands lower, or names another server,
    may have been written by the sender. DMARC of the From's domain proves it, and so does DKIM by exactly that domain.
    """
    written = None if authserv_id is None else _ours(mail, authserv_id)
    if written is None or len(mail.from_) != 1:
        return "claimed", ()
    domain = mail.from_[0].address.rpartition("@")[2].lower()
    evidence: list[str] = []
    is_proven = False
    for statement in written.split(";")[1:]:
        found = _RESULT.match(statement)
        if found is None or found[1].lower() not in _METHODS:
            continue
        method, result = found[1].lower(), found[2].lower()
        evidence.append(f"{method}={result}")
        is_proven = is_proven or (result == "pass" and _speaks_of(method, statement, domain))
    return "verified" if is_proven else "claimed", tuple(dict.fromkeys(evidence))


def _ours(mail: Mail, authserv_id: str) -> str | None:
    for field in mail.headers.all("Authentication-Results"):
        text = _COMMENT.sub(" ", field.source[:_MOST_CHARS])
        name = text.partition(";")[0].split()
        if name and name[0].strip('"').lower() == authserv_id.lower():
            return text
    return None


def _speaks_of(method: str, statement: str, domain: str) -> bool:
    match method:
        case "dmarc":
            said = _FROM.search(statement)
            return said is None or said[1].lower() == domain
        case "dkim":
            said = _SIGNER.search(statement)
            return said is not None and said[1].lower() == domain
        case _:
            return False
