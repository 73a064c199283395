"""Calls to customers by Twilio: a text is read out, or they are connected to where the inbox's callers are.

Source: https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
"""

from dataclasses import dataclass, replace
from typing import Final

from channels.sending import HandedOff, Outgoing, Rejected, Wires
from channels.twilio_post import Fields, post
from channels.typed import clean
from channels.voice.answer import Choice, Dial, Say
from channels.voice.twilio import TwilioVoice
from channels.voice.twiml import instructions

_MOST_TWIML_CHARS: Final = 4000
_EVENTS: Final = ("initiated", "ringing", "answered", "completed")


@dataclass(frozen=True, slots=True)
class TwilioVoiceSender:
    """One of our numbers at Twilio, that calls."""

    channel: TwilioVoice

    @property
    def idempotent(self) -> bool:
        """Twilio calls again for a second request."""
        return False

    async def send(self, message: Outgoing, wires: Wires) -> HandedOff:
        """`provider_id` is the CallSid; whether somebody answered is told by the reports of the call."""
        if message.attachments:
            raise Rejected("no_files", "No files can go with a call.")
        return await post(self.channel.config, "Calls", self._fields(message), message.sent_at, wires.http)

    def _fields(self, message: Outgoing) -> Fields:
        config = self.channel.config
        number = config.caller_id or config.address
        if not number:
            raise Rejected("not_set_up", "This inbox has no number to call from: add it with --address.")
        if not message.address.startswith("tel:"):
            raise Rejected("no_such_number", "This address cannot be called.")
        fields = [("To", message.address.removeprefix("tel:")), ("From", number), ("Twiml", self._twiml(message))]
        if message.status_url:
            fields += [
                ("StatusCallback", message.status_url),
                *(("StatusCallbackEvent", event) for event in _EVENTS),
            ]
        return fields

    def _twiml(self, message: Outgoing) -> str:
        choice = self._choice(clean(message.text))
        manner = self.channel.manner()
        spoken = replace(manner, language=manner.language or message.language)
        told = instructions(choice, spoken, message.status_url) or ""
        if len(told) > _MOST_TWIML_CHARS:
            raise Rejected("too_long", f"The text is longer than can be read out ({_MOST_TWIML_CHARS:,} characters).")
        return told

    def _choice(self, text: str) -> Choice:
        if text:
            return Say(text)
        if isinstance(self.channel.choice, Dial):
            return self.channel.choice
        raise Rejected("empty", "There is no text to read out, and the inbox's answer=… connects to nobody.")
