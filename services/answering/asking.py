"""What is wanted of an answer, what it came to, and the refusals that say more than a sentence."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID, uuid5

from services.record.errors import Refused
from services.resolving.asked import Message, Override
from services.resolving.outcome import Resolved, Unreachable

MOST_ATTACHED_BYTES: Final = 10 * 1024 * 1024
"""Of all files of one message together."""
_NAMESPACE: Final = UUID("0c0c8b5e-53b1-5f0e-9a5e-6f2f5f7c2d10")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes with a message."""

    name: str | None
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """What shall be said. `via` is a channel that an agent chose (`sms`, `chat/telegram`), with the `reason` for it.

    `automatic`: nobody wrote it for this customer; it says so, answers no machine, and leaves whose turn it is as it
    is. For `undo_seconds` nothing is sent, so that it can be taken back.
    """

    text: str
    html: str | None = None
    via: str | None = None
    reason: str | None = None
    attachments: tuple[Attached, ...] = ()
    automatic: bool = False
    undo_seconds: float = 0

    def message(self) -> Message:
        """As the resolver sees it."""
        return Message(self.text, self.html, len(self.attachments), automatic=self.automatic)

    def override(self) -> Override | None:
        """As the resolver sees it."""
        return None if self.via is None else Override(self.via, self.reason or "")


@dataclass(frozen=True, slots=True)
class Asked:
    """It is recorded and will be sent. A repeat of the command gives the same."""

    message_id: UUID
    position: int
    resolution: Resolved


class NotThere(Refused):
    """This tenant has no such conversation or message."""


class NoWay(Refused):
    """There is no way to this customer; `resolution` says why not for each."""

    def __init__(self, resolution: Unreachable) -> None:
        """The sentence is the resolution's own."""
        super().__init__(resolution.why)
        self.resolution = resolution


def message_id_of(tenant: str, command_id: UUID) -> UUID:
    """The same for the same command, for ever."""
    return uuid5(_NAMESPACE, f"{tenant}\0{command_id.hex}")


def check(draft: Draft) -> None:
    """Raises `Refused` for what nobody could be sent."""
    if not draft.text.strip() and not draft.attachments:
        raise Refused("There is nothing to say: write a text, or attach a file.")
    names = [one.name for one in draft.attachments]
    if any(written is not None and not _is_text(written) for written in (draft.text, draft.html, draft.reason, *names)):
        raise Refused("This holds half a character (a lone surrogate), which cannot be sent.")
    size = sum(len(one.content) for one in draft.attachments)
    if size > MOST_ATTACHED_BYTES:
        raise Refused(f"The files have {size} bytes together; a message takes up to {MOST_ATTACHED_BYTES}.")


def _is_text(written: str) -> bool:
    try:
        written.encode()
    except UnicodeEncodeError:
        return False
    return True
