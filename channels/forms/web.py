"""Forms on the web: a page of ours, or JSON from a page of the customer's own."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from channels.contract import AckPolicy, Answer, Heard, InboundRequest, Origin
from channels.errors import BadSignature, Malformed, Trapped
from channels.forms import page, submission, token
from channels.forms.checks import check
from channels.forms.form_facts import facts
from channels.forms.json_schema import json_schema
from channels.forms.settings import WebFormConfig
from channels.forms.submission import Submission

__all__ = ["WebForm", "WebFormConfig"]

_ACKS: Final = AckPolicy(
    accepted=Answer(202),
    bad_signature=Answer(403, b"This form is no longer open: load its page again.\n"),
    malformed=Answer(422, b"This cannot be read as an answer to the form.\n"),
    away=Answer(503, b"Nothing can be stored at the moment, please send it again.\n", headers=(("retry-after", "5"),)),
)


@dataclass(frozen=True, slots=True)
class WebForm:
    """One of our forms."""

    config: WebFormConfig

    @property
    def acks(self) -> AckPolicy:
        """The bare codes; the door puts pages, references and errors around them."""
        return _ACKS

    def verify(self, request: InboundRequest) -> None:
        """Check the token of a page's post, and of JSON that has one or must have one."""
        try:
            posted = submission.read(request)
        except Malformed as error:
            raise BadSignature(f"The form's token cannot be read. {error}") from error
        given = posted.values.get("token", "")
        if posted.is_page or given or self.config.require_token:
            secret = self.config.token_secret.get_secret_value()
            token.check(secret, request.origin, given, request.received_at, self.config.token_lifetime_seconds)

    def parse(self, request: InboundRequest) -> list[Heard]:
        """The facts of a post.

        Raises:
            InvalidFields: the person has to mend something.
            Trapped: a machine filled in what no person sees, or was faster than any person.
            Malformed: the body is neither a form nor JSON.
        """
        posted = submission.read(request)
        self._trap(posted, request.received_at)
        language = self.language(request)
        check(self.config, posted, language)
        return facts(self.config, request.origin, _source_key(request, posted), posted, language)

    def language(self, request: InboundRequest) -> str:
        """The language to answer in: as posted, else as the browser asks, else the form's first."""
        try:
            asked = [submission.read(request).values.get("language", "")]
        except Malformed:
            asked = []
        accepted = request.header("accept-language") or ""
        asked += [part.partition(";")[0].strip() for part in accepted.split(",")[:20]]
        offered = self.config.languages
        return next((name for one in asked if (name := one.partition("-")[0].lower()) in offered), offered[0])

    def values(self, request: InboundRequest) -> Mapping[str, str]:
        """What was typed, to show it again beside the errors; nothing when the body cannot be read."""
        try:
            return submission.read(request).values
        except Malformed:
            return {}

    def token(self, origin: Origin, issued_at: datetime, nonce: str) -> str:
        """The token for one page. `nonce`: 8 to 64 random characters of A-Z, a-z, 0-9, `_` and `-`."""
        return token.issue(self.config.token_secret.get_secret_value(), origin, issued_at, nonce)

    def page(
        self,
        language: str,
        token: str,
        errors: Sequence[tuple[str, str]] = (),
        values: Mapping[str, str] | None = None,
    ) -> str:
        """The form as HTML, for `page.CONTENT_SECURITY_POLICY` and `page.style()` beside it as `style.css`."""
        return page.form_page(self.config, language, token, errors, values)

    def thanks_page(self, reference: str, language: str | None = None) -> str:
        """What a person sees once their post is kept."""
        return page.thanks_page(self.config, language or self.config.languages[0], reference)

    def json_schema(self) -> dict[str, Any]:
        """What JSON posts look like."""
        return json_schema(self.config)

    def _trap(self, posted: Submission, received_at: datetime) -> None:
        if posted.values.get(self.config.honeypot):
            raise Trapped("A field that no person sees was filled in.")
        age = token.age_seconds(posted.values.get("token", ""), received_at)
        if age is not None and age < self.config.minimum_fill_seconds:
            raise Trapped(f"The form was sent {age:.1f} seconds after its page was given out.")


def _source_key(request: InboundRequest, posted: Submission) -> str:
    """What a repeat has in common with the first: the page's token, the sender's key, or the whole content."""
    nonce = token.nonce(posted.values.get("token", ""))
    if nonce is not None:
        return f"token:{nonce}"
    chosen = request.header("idempotency-key")
    if chosen:
        return f"key:{chosen[:200]}"
    digest = hashlib.sha256(orjson.dumps(posted.values, option=orjson.OPT_SORT_KEYS))
    for file in posted.files:
        digest.update(hashlib.sha256(file.content).digest())
    return f"body:{digest.hexdigest()}"
