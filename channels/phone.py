"""Addresses of customers as one text each: `tel:+98…`, `mailto:…`. The same person's number always gives the same text.

Sources: E.164 (ITU-T), RFC 3966 (tel), RFC 6068 (mailto).
"""

import re
from typing import Final

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{1,30}:[^\s:][^\s]{0,250}")
_LONGEST: Final = 250


def e164(number: str, region: str | None) -> str | None:
    """The number as `+98…`, read as people of `region` (ISO 3166, two letters) write it; None when it is no number.

    A number that begins with its country code need only be a possible one: numbering plans change faster than
    libraries. One without must be of a range that is given out, or a short code would become a number abroad.
    """
    if _E164.fullmatch(number):
        return number
    if len(number) > _LONGEST:
        return None
    try:
        parsed = phonenumbers.parse(number, region)
    except NumberParseException:
        return None
    is_abroad = number.lstrip().startswith(("+", "＋", "tel:+"))
    possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    if not (phonenumbers.is_valid_number(parsed) or (is_abroad and possible)):
        return None
    return phonenumbers.format_number(parsed, PhoneNumberFormat.E164)


def mailbox(address: str) -> str | None:
    """The mail address in lower case, Unicode composed (NFC), its domain as people read it; None when it is none.

    RFC 5321 lets a host tell `Ali@` from `ali@`; no host that people use does, and one customer must not become two.
    Whether the domain exists is not asked: that would be a look at the network.
    """
    try:
        checked = validate_email(address, check_deliverability=False, allow_quoted_local=True)
    except EmailNotValidError:
        return None
    return checked.normalized.lower()


def sender_address(sender: str, region: str) -> str | None:
    """The address of whom a gateway for short messages names: a number, `whatsapp:+98…`, a short code or a name.

    Short codes and names cannot be dialled, so they are `sms:1000` and `sms:BANK`. None for an empty sender.
    """
    if _E164.fullmatch(sender):
        return f"tel:{sender}"
    if _SCHEME.fullmatch(sender):
        return sender
    bare = sender.strip()
    if not bare:
        return None
    number = e164(bare, region)
    return f"sms:{bare}" if number is None else f"tel:{number}"


def customer_address(written: str, region: str) -> str | None:
    """The address behind what a person typed (`0912 123 4567`, `Ali@Example.com`, `tel:…`, `mailto:…`), or None."""
    bare = written.strip()
    kind, _, rest = bare.partition(":")
    if kind in ("tel", "mailto"):
        bare = rest
    elif _SCHEME.fullmatch(bare):
        return bare
    if "@" in bare:
        address = mailbox(bare)
        return None if address is None else f"mailto:{address}"
    number = e164(bare, region)
    return None if number is None else f"tel:{number}"
