"""What a customer is told, in which language. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from services.tenancy.acknowledgement import REFERENCE

# One short message each: 160 letters of GSM's alphabet, or 70 of any. A mark before the reference keeps its halves in
# their order among Persian words, also where the first is all digits (Unicode Standard Annex #9, rule N1).
TEXTS: Final = {
    "en": f"We have your message and will answer it. Your reference: {REFERENCE}",
    "fa": f"پیام شما رسید و به آن پاسخ می‌دهیم. شناسه: \u200e{REFERENCE}",
}
_ELSE: Final = "en"


def acknowledged(reference: str, languages: Iterable[str | None], own: Mapping[str, str]) -> str:
    """In the first of these languages (BCP 47) that there are words in, else in English; `own` words come first."""
    for language in (*languages, _ELSE):
        primary = (language or "").partition("-")[0].lower()
        text = own.get(primary) or TEXTS.get(primary)
        if text is not None:
            return text.replace(REFERENCE, reference)
    raise AssertionError
