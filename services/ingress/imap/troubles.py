"""What keeps us from a mailbox: in a sentence for its owner, and how long to leave the server alone. Pure."""

import re
import ssl
from dataclasses import dataclass
from typing import Final, Literal

from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError

from channels.email.imap import ImapConfig

Kind = Literal["refused", "away"]

# RFC 5530: these say that the server, not the password, is the trouble.
_PASSING: Final = re.compile(r"\[(?:UNAVAILABLE|INUSE|LIMIT|SERVERBUG|OVERQUOTA)\]", re.IGNORECASE)
_LONGEST_WORDS: Final = 200
_PROOFS: Final = {"password": "password", "xoauth2": "access token"}
_KINDS: Final[dict[type[Exception], Kind]] = {
    LoginError: "refused",
    CapabilityError: "refused",
    ssl.SSLCertVerificationError: "refused",
}

_AWAY_SECONDS: Final = (1.0, 300.0)
# Servers lock a user, or an address, that is wrong a few times: three tries in seven minutes, then one an hour.
_REFUSED_SECONDS: Final = (120.0, 3600.0)


@dataclass(frozen=True, slots=True)
class Trouble:
    """`refused`: only its owner can mend it. `away`: it may pass by itself."""

    kind: Kind
    reason: str


def trouble(error: Exception, config: ImapConfig) -> Trouble:
    """What an error of a session means."""
    kind, told = _meaning(error, config)
    return Trouble(kind, f"{config.host}:{config.door} {told}")


def _meaning(error: Exception, config: ImapConfig) -> tuple[Kind, str]:
    words, kind = _words(error), _KINDS.get(type(error), "away")
    match error:
        case LoginError() if _PASSING.search(words):
            kind, told = "away", f"takes no logins at the moment: {words}"
        case LoginError():
            told = f"refuses the user and {_PROOFS[config.login]} of this inbox: {words}"
        case ssl.SSLCertVerificationError():
            told = f"shows a certificate that is not to be trusted: {getattr(error, 'verify_message', words)}"
        case CapabilityError():
            told = f"cannot do what this inbox is set to: {words}"
        case ssl.SSLError():
            told = f"does not speak TLS as this inbox is set to (tls={config.tls}): {words}"
        case TimeoutError():
            told = "did not answer in time"
        case IMAPClientAbortError():
            told = f"closed the connection: {words}"
        case IMAPClientError():
            told = f"answered: {words}"
        case _:
            told = f"is not reached: {words}"
    return kind, told


def pause_seconds(kind: Kind, failures: int, chance: float) -> float:
    """How long to wait after so many failures in a row; `chance` from 0 to 1 spreads those who failed together."""
    first, longest = _REFUSED_SECONDS if kind == "refused" else _AWAY_SECONDS
    return float(min(first * 2 ** min(failures - 1, 20), longest) * (0.75 + chance / 2))


def _words(error: Exception) -> str:
    lines = str(error).split("\n") if str(error) else [type(error).__name__]
    said = lines[0].removeprefix("b'").removesuffix("'").replace("\0", "")
    return said[:_LONGEST_WORDS]
