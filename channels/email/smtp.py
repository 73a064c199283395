"""Mail that our own server takes, by SMTP (RFC 5321) or LMTP (RFC 2033).

The door hands in `InboundRequest(method="MAIL", url="mailto:<recipient>", body=<the mail's bytes>)` with the envelope
as the headers `mail-from`, `rcpt-to` and `received-from`.
"""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from channels.contract import AckPolicy, Answer, Blob, Heard, InboundRequest
from channels.email import automatic, identity, mime, reply, smtp_facts
from channels.email.assurance import assess
from channels.email.mime import Mail
from channels.email.outlet import Outlet
from channels.email.shown import whole_of
from channels.errors import Malformed
from schemas.interaction import InteractionReceived

CHANNEL: Final = "email/smtp"

# Replies of SMTP (RFC 5321, RFC 3463). A mail that is kept and parked was taken; a refusal would bounce it.
_ACKS: Final = AckPolicy(
    accepted=Answer(250, b"2.0.0 Kept"),
    bad_signature=Answer(550, b"5.7.1 Not allowed"),
    malformed=Answer(250, b"2.0.0 Kept"),
    away=Answer(451, b"4.3.0 Nothing can be stored at the moment, try again"),
)


class SmtpConfig(Outlet):
    """A mailbox. `authserv_id` is how our own server signs Authentication-Results; without it nothing is proven."""

    authserv_id: Annotated[str, Field(min_length=1, max_length=253)] | None = None


@dataclass(frozen=True, slots=True)
class Smtp:
    """One of our mailboxes. `channel` is what its facts name: mail that is fetched is read in the same way."""

    config: SmtpConfig
    channel: str = CHANNEL

    @property
    def acks(self) -> AckPolicy:
        """Replies of SMTP, not of HTTP."""
        return _ACKS

    def verify(self, request: InboundRequest) -> None:
        """Pass: nothing signs a mail as a whole. What is proven of its sender is in the fact's `assurance`."""

    def parse(self, request: InboundRequest) -> list[Heard]:
        """The mail, and receipts when it is a delivery report.

        Raises:
            Malformed: it is too deep or too wide to read, or names no sender at all.
        """
        mail = mime.read(request.body)
        key = identity.source_key(request.body)
        address = _address(mail, request)
        return [
            self._message(request, mail, key, address),
            *smtp_facts.receipts(request.origin, key, self.channel, mail, request.header("rcpt-to") or ""),
        ]

    def _message(self, request: InboundRequest, mail: Mail, key: str, address: str) -> Heard:
        origin = request.origin
        files = smtp_facts.attachments(origin, key, mail)
        # Who forwards a mail without a word means all of it.
        written = reply.written(mail.text) or mail.text
        said = smtp_facts.content(mail, address, self._recipient(request), written)
        text_blob = smtp_facts.text_blob(origin, key, mail)
        assurance, evidence = assess(mail, self.config.authserv_id)
        fact = InteractionReceived(
            interaction_id=origin.derive(key, "interaction"),
            kind="message",
            channel=self.channel,
            conversation_id=origin.derive(smtp_facts.root(mail, key), "conversation"),
            automatic=smtp_facts.AUTOMATIC[automatic.classify(mail).kind],
            assurance=assurance,
            evidence=evidence,
            attachments=tuple(attachment for attachment, _, _ in files),
            personal=said.model_copy(
                update={
                    "attachments": tuple(name for _, name, _ in files),
                    "excerpt_of": text_blob[0].blob_id if text_blob else None,
                }
            ),
        )
        whole = Blob(whole_of(fact.interaction_id), request.body)
        return Heard(key, address, fact, mail.date, (whole, *text_blob, *(blob for _, _, blob in files)))

    def _recipient(self, request: InboundRequest) -> str:
        written = request.header("rcpt-to") or request.url.removeprefix("mailto:") or self.config.address
        return smtp_facts.mail_address(written.strip("<> ")) or smtp_facts.mail_address(self.config.address) or ""


def _address(mail: Mail, request: InboundRequest) -> str:
    """Whom the mail says it is from. Reply-To is a wish, not a sender: it is read when answering."""
    claimed = [*(person.address for person in mail.from_), mail.sender.address if mail.sender else ""]
    for candidate in (*claimed, (request.header("mail-from") or "").strip("<> "), mail.return_path or ""):
        address = smtp_facts.mail_address(candidate)
        if address is not None:
            return address
    raise Malformed("The mail names no sender, neither in From or Sender nor in its envelope.")
