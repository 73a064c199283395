"""Short messages and WhatsApp messages out, by Twilio.

Source: https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
"""

from dataclasses import dataclass

from channels.sending import HandedOff, Outgoing, Rejected, Wires
from channels.sms.twilio import TwilioConfig
from channels.twilio_post import Fields, post
from channels.typed import clean


@dataclass(frozen=True, slots=True)
class TwilioSender:
    """One of our numbers at Twilio, or a messaging service of ours there."""

    config: TwilioConfig

    @property
    def idempotent(self) -> bool:
        """Twilio makes a second message of a second request."""
        return False

    async def send(self, message: Outgoing, wires: Wires) -> HandedOff:
        """`provider_id` is the MessageSid, which every status callback names."""
        if message.attachments:
            raise Rejected("no_files", "No files can go with a short message from here: send a link, or an e-mail.")
        return await post(self.config, "Messages", self._fields(message), message.sent_at, wires.http)

    def _fields(self, message: Outgoing) -> Fields:
        text = clean(message.text)
        if not text:
            raise Rejected("empty", "There is no text to send.")
        fields = [("To", message.address.removeprefix("tel:").removeprefix("sms:")), *self._sender(), ("Body", text)]
        if message.status_url:
            fields.append(("StatusCallback", message.status_url))
        return fields

    def _sender(self) -> Fields:
        if self.config.messaging_service is not None:
            return (("MessagingServiceSid", self.config.messaging_service),)
        if not self.config.address:
            raise Rejected("not_set_up", "This inbox has no number to send from: add it with --address.")
        return (("From", self.config.address),)
