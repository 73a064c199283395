"""Mail out, by the server that takes the mailbox's mail (RFC 6409): what its replies mean for whoever wrote."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from channels.email import sent
from channels.email.letter import write
from channels.email.outlet import Outlet
from channels.sending import HandedOff, InDoubt, MailAnswer, Outgoing, Rejected, Retryable, Unanswered, Unsent, Wires

_ENHANCED: Final = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?!\d)")
_LOGIN: Final = frozenset({530, 534, 535, 538})
"""Replies to a login (RFC 4954)."""

_TAKEN, _LATER, _NEVER = 2, 4, 5
_SECURITY: Final = 7
_LARGE: Final = 552

_NO_MAILBOX: Final = ("no_such_mailbox", "The customer's mail server knows no such mailbox.")
_NO_HOST: Final = ("no_such_host", "The domain of the customer's mail address takes no mail.")
_TOO_LARGE: Final = ("too_large", "The mail with its files is larger than mail servers take.")
_BY_RULE: Final = ("blocked", "The mail server refuses the mail by its rules, as spam or for where it comes from.")

# RFC 3463 and IANA's registry of enhanced status codes, by subject and detail.
_REASONS: Final[Mapping[tuple[int, int], tuple[str, str]]] = {
    (1, 0): _NO_MAILBOX,
    (1, 1): _NO_MAILBOX,
    (1, 2): _NO_HOST,
    (1, 3): _NO_MAILBOX,
    (1, 6): ("moved", "The customer's mailbox has moved, and its server does not say where to."),
    (1, 7): ("own_address", "The mail server does not let this mailbox send from its own address."),
    (1, 8): ("own_address", "The mail server does not let this mailbox send from its own address."),
    (1, 10): _NO_HOST,
    (2, 1): ("disabled", "The customer's mailbox is switched off."),
    (2, 2): ("full", "The customer's mailbox is full."),
    (2, 3): _TOO_LARGE,
    (3, 4): _TOO_LARGE,
    (4, 1): _NO_HOST,
    (4, 4): _NO_HOST,
    (6, 7): ("international", "The mail server takes no addresses in letters other than English ones."),
    (7, 0): _BY_RULE,
    (7, 1): _BY_RULE,
}
_BY_CODE: Final[Mapping[int, tuple[str, str]]] = {
    550: _NO_MAILBOX,
    551: _NO_MAILBOX,
    _LARGE: _TOO_LARGE,
    553: _NO_MAILBOX,
}


@dataclass(frozen=True, slots=True)
class MailSender:
    """One of our mailboxes."""

    outlet: Outlet

    @property
    def idempotent(self) -> bool:
        """Mail servers deliver a second copy, though its Message-ID is the same."""
        return False

    async def send(self, message: Outgoing, wires: Wires) -> HandedOff:
        """`provider_id` is the first part of the Message-ID, by which bounces are joined (`channels.email.sent`)."""
        server, letter = self.outlet.server, write(self.outlet, message)
        try:
            answer = await wires.mail.submit(server, letter.sender, letter.recipient, letter.content)
        except Unsent as unsent:
            raise Retryable("unreachable", "The mail server cannot be reached at the moment.") from unsent
        except Unanswered as unanswered:
            raise InDoubt("The mail server did not answer: it may have taken the mail.") from unanswered
        _check(answer)
        return HandedOff(sent.name_of(message.message_id))


def _check(answer: MailAnswer) -> None:
    """Return if it took the mail."""
    kind = answer.code // 100
    if kind == _TAKEN and answer.phase == "end":
        return
    if answer.phase == "connect":
        _refused_us(answer)
    if kind == _LATER:
        raise Retryable("deferred", f"The mail server asks to try again later ({_told(answer)}).")
    if kind == _NEVER:
        raise Rejected(*_reason(answer))
    if answer.phase == "end":
        raise InDoubt(f"The mail server's answer ({answer.code}) does not tell whether it took the mail.")
    raise Retryable("unreachable", f"The mail server answers in a way that nobody understands ({answer.code}).")


def _refused_us(answer: MailAnswer) -> None:
    """Before there was a mail: it says nothing of this one."""
    if answer.code in _LOGIN:
        raise Rejected("not_allowed", "The mail server does not let this mailbox in: check smtp_user, smtp_password.")
    raise Retryable("unreachable", f"The mail server takes nothing at the moment ({_told(answer)}).")


def _reason(answer: MailAnswer) -> tuple[str, str]:
    enhanced = _ENHANCED.search(answer.text)
    if enhanced:
        subject, detail = int(enhanced[2]), int(enhanced[3])
        found = _REASONS.get((subject, detail)) or (_BY_RULE if subject == _SECURITY else None)
        if found is not None:
            return found
    if answer.phase == "rcpt" and answer.code in _BY_CODE:
        return _BY_CODE[answer.code]
    if answer.code == _LARGE:
        return _TOO_LARGE
    return "refused", f"The mail server refused the mail ({_told(answer)})."


def _told(answer: MailAnswer) -> str:
    """Numbers only: the words of mail servers name people."""
    enhanced = _ENHANCED.search(answer.text)
    return f"{answer.code} {enhanced[0]}" if enhanced else f"{answer.code}"
