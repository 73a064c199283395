"""What stands against a way: the first bar that it meets, as a code and a sentence that an agent reads."""

from datetime import datetime, timedelta

from services.resolving.allowed import last_word
from services.resolving.asked import Asked, Consent
from services.resolving.outcome import RejectedBecause, Rendering
from services.resolving.ways import Way
from services.resolving.words import meant, read

Bar = tuple[RejectedBecause, str]


def bar(asked: Asked, way: Way, rendering: Rendering, leaves_at: datetime, *, held: bool) -> Bar | None:
    """Why this way cannot be taken; None when it can. `leaves_at` is when the message would go, after quiet hours."""
    return (
        _no_way(asked, way)
        or _unfit(asked, way, rendering)
        or _forbidden(asked, way)
        or _unheard(way)
        or _shut(way, leaves_at, held=held)
    )


def _no_way(asked: Asked, way: Way) -> Bar | None:
    inbox, name = way.inbox, read(way.channel)
    if asked.override is not None and way.because != "override":
        return "overridden", f"The agent chose {read(meant(asked.override.channel))} instead: {asked.override.reason}"
    if inbox is None:
        return "no_inbox", f"We have no inbox for {name}."
    if not inbox.is_open:
        return "inbox_closed", f"Our inbox {inbox.name} is closed."
    if not inbox.capabilities.reaches:
        return "one_way", f"Nothing can be sent by {name}: it only takes in."
    if way.address is None:
        return "no_address", f"We know no address of this customer that {inbox.name} could send {name} to."
    return None


def _forbidden(asked: Asked, way: Way) -> Bar | None:
    last = last_word(asked.consents, way.address, way.channel)
    if last is not None and not last.granted and not _asked_since(asked, way, last):
        return "consent_withdrawn", f"The customer forbade {read(way.channel)} to {way.address}."
    if way.answers or (last is not None and last.granted):
        return None
    return "consent_missing", f"The customer did not allow {read(way.channel)} to {way.address}, and did not ask there."


def _asked_since(asked: Asked, way: Way, forbidden: Consent) -> bool:
    """Who asks after they forbade it wants this one answer; STOP itself asks nothing."""
    return way.answers and asked.question is not None and asked.question.asked_at > forbidden.stated_at


def _unfit(asked: Asked, way: Way, rendering: Rendering) -> Bar | None:
    inbox, message = way.inbox, asked.message
    if inbox is None:
        return None
    able, name = inbox.capabilities, read(way.channel)
    if message.as_call:
        return None if able.connects_calls else ("cannot_call", f"No call can be made by {name}.")
    if able.text_limit == 0:
        return "carries_no_text", f"A text cannot be sent by {name}."
    if message.attachments and not able.attachments:
        return "no_attachments", f"Attachments cannot be sent by {name}."
    if able.text_limit is not None and rendering.characters > able.text_limit:
        return "too_long", f"Too long for {name}: {rendering.characters} characters, at most {able.text_limit}."
    return None


def _unheard(way: Way) -> Bar | None:
    inbox = way.inbox
    if inbox is None or way.last_heard_at is not None:
        return None
    able = inbox.capabilities
    if able.starts_conversations or able.connects_calls:
        return None
    return "cannot_start", f"The customer did not write to {inbox.name} yet, and {read(way.channel)} cannot begin."


def _shut(way: Way, leaves_at: datetime, *, held: bool) -> Bar | None:
    seconds = None if way.inbox is None else way.inbox.capabilities.reply_window_seconds
    if seconds is None:
        return None
    name = read(way.channel)
    if way.last_heard_at is None:
        return "window_shut", f"{name} lets us write only after the customer did, and they did not."
    if way.last_heard_at + timedelta(seconds=seconds) > leaves_at:
        return None
    hours = seconds // 3600
    if held:
        return (
            "window_shuts_in_quiet_hours",
            f"{name} lets us write for {hours} hours after the customer did: that ends within their quiet hours.",
        )
    return "window_shut", f"{name} lets us write for {hours} hours after the customer did: that is over."
