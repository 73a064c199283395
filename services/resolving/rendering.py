"""How a message is written for an inbox, and what that costs there."""

from channels.contract import Capabilities
from channels.sms.segments import segments
from services.resolving.asked import Message
from services.resolving.outcome import Rendering


def plain(message: Message) -> Rendering:
    """As text, counted: the same for every way that takes no mark-up and joins no short messages."""
    units = len(message.text.encode("utf-16-le", "surrogatepass")) // 2
    return Rendering("speech" if message.as_call else "text", units)


def rendered(message: Message, able: Capabilities, text: Rendering) -> Rendering:
    """For an inbox that can do this. `text` is what `plain` gave."""
    if message.as_call:
        return text
    if able.html and message.html is not None:
        return Rendering("html", text.characters)
    if able.encoding == "gsm":
        counted = segments(message.text)
        return Rendering("text", text.characters, counted.encoding, counted.units, counted.count)
    return text
