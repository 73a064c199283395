"""Every channel by name: a dict literal. Adding a channel is one module and one line here."""

from collections.abc import Callable, Mapping
from typing import Final

from channels.chat.widget import Widget, WidgetConfig
from channels.contract import Channel
from channels.email.imap import Imap, ImapConfig
from channels.email.smtp import Smtp, SmtpConfig
from channels.forms.web import WebForm, WebFormConfig
from channels.sms.twilio import Twilio, TwilioConfig
from channels.voice.twilio import TwilioVoice, TwilioVoiceConfig

REGISTRY: Final[dict[str, Callable[[Mapping[str, str]], Channel]]] = {
    "sms/twilio": lambda settings: Twilio(TwilioConfig.model_validate(settings)),
    "voice/twilio": lambda settings: TwilioVoice.of(TwilioVoiceConfig.model_validate(settings)),
    "email/smtp": lambda settings: Smtp(SmtpConfig.model_validate(settings)),
    "email/imap": lambda settings: Imap(ImapConfig.model_validate(settings)),
    "forms/web": lambda settings: WebForm(WebFormConfig.model_validate(settings)),
    "chat/widget": lambda settings: Widget(WidgetConfig.model_validate(settings)),
}
