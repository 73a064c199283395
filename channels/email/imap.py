"""Mail that waits in a mailbox of ours on somebody's IMAP server (RFC 9051); read as mail by SMTP is.

Who fetches it hands in `InboundRequest(method="MAIL", url="mailto:<our address>", body=<the mail's bytes>)` with where
it lay as the headers `mailbox`, `uid-validity`, `uid` and `internal-date` (ISO 8601).
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, Field, SecretStr, field_validator
from pydantic_core.core_schema import ValidationInfo

from channels.contract import AckPolicy, Heard, InboundRequest
from channels.email.outlet import Outlet
from channels.email.smtp import Smtp, SmtpConfig

CHANNEL: Final = "email/imap"

Tls = Literal["implicit", "starttls", "none"]
After = Literal["seen", "keyword", "move"]
Folder = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00\r\n]+$")]
_Word = Annotated[str, Field(min_length=1, max_length=320, pattern=r"^[^\x00\r\n]+$")]


def _listed(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


class ImapConfig(Outlet):
    """A mailbox, or several of one user (a list with commas: the first is watched, the others are looked at).

    `after`: what shows that a mail is on the record, the flag `seen`, the keyword `$TamasKept`, or that it lies in
    `folder`; nothing is ever deleted. With `login=xoauth2` the secret `password` is an access token. `poll_seconds`:
    between two looks where the server does not tell by itself; `idle_seconds`: until it has to show that it is alive.
    """

    authserv_id: Annotated[str, Field(min_length=1, max_length=253)] | None = None
    host: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[\w.:-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    tls: Tls = "implicit"
    user: _Word
    password: SecretStr
    login: Literal["password", "xoauth2"] = "password"
    mailbox: Annotated[tuple[Folder, ...], BeforeValidator(_listed), Field(min_length=1, max_length=50)] = ("INBOX",)
    after: After = "seen"
    folder: Folder = "Kept"
    poll_seconds: Annotated[int, Field(ge=1, le=3600)] = 60
    idle_seconds: Annotated[int, Field(ge=1, le=1740)] = 540
    """RFC 2177: a server may close after 30 minutes; routers forget a silent connection much earlier."""

    @field_validator("folder")
    @classmethod
    def _is_elsewhere(cls, folder: str, info: ValidationInfo) -> str:
        if folder in info.data.get("mailbox", ()):
            raise ValueError("mails would be moved to where they are read from")
        return folder

    @property
    def door(self) -> int:
        """The port; without a setting the registered one (RFC 8314)."""
        return self.port or (993 if self.tls == "implicit" else 143)


@dataclass(frozen=True, slots=True)
class Imap:
    """One of our users at an IMAP server."""

    config: ImapConfig

    @property
    def acks(self) -> AckPolicy:
        """Nobody waits for an answer; the policy of mail stands here for whoever asks."""
        return self._letters.acks

    def verify(self, request: InboundRequest) -> None:
        """Pass: we fetched it ourselves. What is proven of its sender is in the fact's `assurance`."""

    def parse(self, request: InboundRequest) -> list[Heard]:
        """As SMTP's; a mail without a date of its own happened when the server took it.

        Raises:
            Malformed: it is too deep or too wide to read, or names no sender at all.
        """
        taken_at = _moment(request.header("internal-date") or "")
        return [
            one if one.occurred_at is not None else replace(one, occurred_at=taken_at)
            for one in self._letters.parse(request)
        ]

    @property
    def _letters(self) -> Smtp:
        config = SmtpConfig(address=self.config.address, authserv_id=self.config.authserv_id)
        return Smtp(config, channel=CHANNEL)


def _moment(written: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(written)
        return found.astimezone(UTC) if found.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
