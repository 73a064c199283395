"""Answers in our own widget: on the record they are handed off, and every edge shows them to the visitor from there."""

from dataclasses import dataclass

from channels.sending import HandedOff, Outgoing, Wires


@dataclass(frozen=True, slots=True)
class WidgetSender:
    """Any of our widgets."""

    @property
    def idempotent(self) -> bool:
        """A line is given its number once per message."""
        return True

    async def send(self, message: Outgoing, wires: Wires) -> HandedOff:  # noqa: ARG002 - it takes no wire
        """`provider_id` is the message's own id, which the widget's receipts name."""
        return HandedOff(str(message.message_id))
