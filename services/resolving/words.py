"""Names of channels: as people and settings write them, and as an agent reads them."""

from functools import lru_cache
from typing import Final

_MEANT: Final = {
    "call": "voice",
    "e-mail": "email",
    "mail": "email",
    "phone": "voice",
    "telephone": "voice",
    "text": "sms",
}
_READ: Final = {"chat": "chat", "email": "mail", "forms": "the form", "sms": "SMS", "voice": "a call"}


@lru_cache(4096)
def meant(written: str) -> str:
    """One spelling of a kind, a provider or both, as in a preference."""
    bare = written.strip().lower()
    return _MEANT.get(bare, bare)


@lru_cache(4096)
def fits(wanted: str, channel: str) -> bool:
    """Whether a channel (`chat/telegram`) is what `meant` gave: its kind, its provider, or both."""
    kind, _, provider = channel.partition("/")
    return wanted in (channel, kind, provider)


@lru_cache(4096)
def read(channel: str) -> str:
    """A channel, or what was wanted as one, in a sentence."""
    kind, _, provider = channel.partition("/")
    name = _READ.get(kind, kind)
    return name if kind != "chat" or provider in ("", "widget") else provider.capitalize()
