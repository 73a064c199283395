"""Our own chat widget on other people's sites. No provider's page: the protocol is ours, see `widget_frames`."""

import hmac
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from channels.chat.widget_frames import Confirmed, Hello, Said, recorded
from channels.contract import AckPolicy, Answer, Heard, InboundRequest, Origin
from channels.errors import BadSignature, Malformed
from channels.signing import visitor_proof
from schemas.interaction import Content, InteractionReceived, ReceiptReported, Recipient

CHANNEL: Final = "chat/widget"
DRAWN: Final = re.compile(r"[a-z2-7]{26}")
"""How the ids look that we give to visitors whom nobody proves: 128 random bits."""

_ORIGIN: Final = re.compile(r"(https?)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?")
_DEFAULT_PORTS: Final = {"https": "443", "http": "80"}
# These would end an address early, or be taken for our own marks in it.
_UNSAFE: Final = re.compile(r"[\s%@\x00-\x20\x7f]")

_ACKS: Final = AckPolicy(
    accepted=Answer(202),
    bad_signature=Answer(401, b"The proof does not belong to this visitor.\n"),
    malformed=Answer(422, b"This cannot be read as a frame of the chat.\n"),
    away=Answer(503, b"Nothing can be stored at the moment, try again.\n", headers=(("retry-after", "5"),)),
)


class WidgetConfig(BaseModel):
    """A widget. `origins` are the sites that may embed it (`https://shop.example`, by comma); empty is any site.

    With `proof_key` the site's own server may say who a visitor is; while it is being changed,
    `proof_key_previous` still passes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    origins: tuple[str, ...] = ()
    proof_key: Annotated[SecretStr, Field(min_length=16)] | None = None
    proof_key_previous: Annotated[SecretStr, Field(min_length=1)] | None = None

    @field_validator("origins", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return tuple(_origin(part) for part in value.replace(",", " ").split())


def _origin(written: str) -> str:
    found = _ORIGIN.fullmatch(written.lower().removesuffix("/"))
    if found is None:
        raise ValueError(f"{written} is no origin: one looks like https://shop.example, without a path")
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" if port in (None, _DEFAULT_PORTS[scheme]) else f"{scheme}://{host}:{port}"


@dataclass(frozen=True, slots=True)
class Widget:
    """One of our widgets."""

    config: WidgetConfig

    @property
    def acks(self) -> AckPolicy:
        """As HTTP would say it; a socket is told by frames and closing codes."""
        return _ACKS

    def admits(self, origin: str | None) -> bool:
        """Whether a page of this origin (RFC 6454; None: it tells none) may use the widget."""
        return not self.config.origins or (origin is not None and origin.lower() in self.config.origins)

    def verify(self, request: InboundRequest) -> None:
        """Check the proof of the hello among the frames."""
        try:
            hello, _ = recorded(request.body)
        except Malformed as error:
            raise BadSignature(f"The proof cannot be read. {error}") from error
        self.check(hello)

    def check(self, hello: Hello) -> None:
        """Pass or raise `BadSignature`: a proof of another visitor or key, or a name of one's own without a proof."""
        if hello.proof is None:
            if hello.visitor is not None and not DRAWN.fullmatch(hello.visitor):
                raise BadSignature("A visitor without a proof has the id that we gave, or none.")
            return
        if hello.visitor is None:
            raise BadSignature("There is a proof, but no visitor that it is for.")
        if self.config.proof_key is None:
            raise BadSignature("This inbox has no proof_key, so nobody can be proven.")
        given = hello.proof.lower().encode("utf-8", "replace")
        fitting = [hmac.compare_digest(visitor_proof(key, hello.visitor).encode(), given) for key in self._keys()]
        if not any(fitting):
            raise BadSignature("The proof does not belong to this visitor.")

    def address(self, origin: Origin, hello: Hello) -> str:
        """Where this visitor is reached. Two sites may both have a user 42, so a proven one is theirs at this inbox.

        `hello.visitor` is not None.
        """
        visitor = hello.visitor or ""
        if hello.proof is None:
            return f"chat:v.{visitor}"
        return f"chat:u.{_safe(visitor)}@{_safe(origin.inbox.partition(':')[2])}"

    def parse(self, request: InboundRequest) -> list[Heard]:
        """The messages and receipts among the frames, each once: of two with one id the second is the first again."""
        hello, spoken = recorded(request.body)
        origin, address = request.origin, self.address(request.origin, hello)
        found: dict[str, Heard] = {}
        for one in spoken:
            heard = (
                [_heard(origin, address, one, proven=hello.proof is not None)]
                if isinstance(one, Said)
                else [_receipt(origin, address, message_id, one) for message_id in one.message_ids]
            )
            for fact in heard:
                found.setdefault(fact.source_key, fact)
        return list(found.values())

    def _keys(self) -> Iterator[str]:
        for key in (self.config.proof_key, self.config.proof_key_previous):
            if key is not None:
                yield key.get_secret_value()


def _heard(origin: Origin, address: str, said: Said, *, proven: bool) -> Heard:
    # With the address, so that nobody's message can be taken for a repeat of somebody else's.
    key = f"{address}/{said.message_id}"
    fact = InteractionReceived(
        interaction_id=origin.derive(key, "interaction"),
        kind="message",
        channel=CHANNEL,
        assurance="verified" if proven else "none",
        evidence=("visitor_hmac",) if proven else (),
        personal=Content(address=address, text=said.text, message_id=str(said.message_id)),
    )
    return Heard(key, address, fact)


def _receipt(origin: Origin, address: str, message_id: UUID, confirmed: Confirmed) -> Heard:
    state = "read" if confirmed.is_read else "delivered"
    fact = ReceiptReported(
        interaction_id=origin.derive(str(message_id), "interaction"),
        channel=CHANNEL,
        state=state,
        reported="seen",
        personal=Recipient(address=address),
    )
    return Heard(f"{message_id}/{state}", address, fact)


def _safe(text: str) -> str:
    return _UNSAFE.sub(lambda found: quote(found[0], safe=""), text)
