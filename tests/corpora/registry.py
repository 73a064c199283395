"""Which scorer reads which folder. A folder without one is listed as skipped."""

from typing import Final

from tests.corpora import (
    email_addresses,
    mime_chatwoot,
    mime_headers,
    mime_oracle,
    mime_postal,
    mime_ruby_mail,
    mime_stalwart,
    phone,
    reply_alfonsrv,
    reply_crisp,
    reply_talon,
    reply_zapier,
    signatures,
)
from tests.corpora.contract import Scorer

SCORERS: Final[dict[str, Scorer]] = {
    "email_addresses": email_addresses.score,
    "mime_chatwoot": mime_chatwoot.score,
    "mime_headers": mime_headers.score,
    "mime_oracle": mime_oracle.score,
    "mime_postal": mime_postal.score,
    "mime_ruby_mail": mime_ruby_mail.score,
    "mime_stalwart": mime_stalwart.score,
    "phone": phone.score,
    "reply_alfonsrv": reply_alfonsrv.score,
    "reply_crisp": reply_crisp.score,
    "reply_talon": reply_talon.score,
    "reply_zapier": reply_zapier.score,
    "signatures": signatures.score,
}
