"""Settings of an inbox that say whether who writes to it is told that their message came, and in which words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from services.record.errors import Refused

REFERENCE: Final = "{reference}"
"""Stands in a text where the reference goes."""
_SWITCH: Final = "acknowledge"
_TEXT: Final = re.compile(r"acknowledge_text_([a-z]{2,3})")
_MOST_CHARACTERS: Final = 1_000
_WITHOUT_QUESTIONS: Final = ("voice/",)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """`texts` are the operator's own, by language (`fa`)."""

    is_on: bool = False
    texts: Mapping[str, str] = field(default_factory=dict[str, str])


def acknowledgement(settings: Mapping[str, str]) -> Acknowledgement:
    """What these settings say. An empty text is none: the house's own is sent again.

    Raises:
        Refused: a switch that is neither on nor off, or a text without a place for the reference.
    """
    switch = settings.get(_SWITCH, "off")
    if switch not in ("on", "off"):
        raise Refused(f"{_SWITCH} must be on or off.")
    found = {match[1]: value for name, value in settings.items() if (match := _TEXT.fullmatch(name)) and value}
    for language, text in found.items():
        _check(language, text)
    return Acknowledgement(switch == "on", found)


def without_acknowledgement(channel: str, settings: Mapping[str, str]) -> dict[str, str]:
    """The other settings. Raises `Refused`, as `acknowledgement`, and for a channel that brings no message."""
    if acknowledgement(settings).is_on and channel.startswith(_WITHOUT_QUESTIONS):
        raise Refused(f"Calls are not acknowledged: {_SWITCH} is for inboxes that people write to.")
    return {name: value for name, value in settings.items() if name != _SWITCH and not _TEXT.fullmatch(name)}


def _check(language: str, text: str) -> None:
    name = f"acknowledge_text_{language}"
    if REFERENCE not in text:
        raise Refused(f"{name} must say where the reference goes: write {REFERENCE} there.")
    if len(text) > _MOST_CHARACTERS or "\0" in text:
        raise Refused(f"{name} is a text of at most {_MOST_CHARACTERS} characters.")
