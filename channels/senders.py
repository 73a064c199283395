"""Every channel that can send, by name: a dict literal. The settings are those of `channels.registry`."""

from collections.abc import Callable, Mapping
from typing import Final

from channels.chat.widget_send import WidgetSender
from channels.email.imap import ImapConfig
from channels.email.send import MailSender
from channels.email.smtp import SmtpConfig
from channels.sending import Sender
from channels.sms.twilio import TwilioConfig
from channels.sms.twilio_send import TwilioSender
from channels.voice.twilio import TwilioVoice, TwilioVoiceConfig
from channels.voice.twilio_send import TwilioVoiceSender

SENDERS: Final[dict[str, Callable[[Mapping[str, str]], Sender]]] = {
    "sms/twilio": lambda settings: TwilioSender(TwilioConfig.model_validate(settings)),
    "voice/twilio": lambda settings: TwilioVoiceSender(TwilioVoice.of(TwilioVoiceConfig.model_validate(settings))),
    "email/smtp": lambda settings: MailSender(SmtpConfig.model_validate(settings)),
    "email/imap": lambda settings: MailSender(ImapConfig.model_validate(settings)),
    "chat/widget": lambda _: WidgetSender(),
}
