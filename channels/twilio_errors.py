"""What Twilio's numbers mean for whoever wrote the message.

Source: https://www.twilio.com/docs/api/errors, a page for each number.
"""

from collections.abc import Mapping
from typing import Final

THROTTLED: Final = frozenset({14107, 20429, 30001, 63018})
"""Too much at once: nothing is made, and later it will be taken."""

NOTHING_WAS_MADE: Final = frozenset({20429, 20503})
"""With a status of 500 and more: the request was turned away at the door."""

_NO_NUMBER: Final = ("no_such_number", "Twilio says that this is no number that can be reached.")
_NO_MOBILE: Final = ("no_mobile", "This number takes no text messages, it is a landline.")
_STOPPED: Final = ("stopped", "The customer answered STOP to this number: nothing may be sent until they write START.")
_REGION: Final = ("region", "The Twilio account may not send to this country: allow it in Twilio's Geo Permissions.")
_OUR_NUMBER: Final = ("own_number", "This inbox's own number cannot send: check at Twilio what it is able to do.")
_BLOCKED: Final = ("blocked", "The customer's carrier or Twilio blocks messages to this number.")
_NOT_ALLOWED: Final = ("not_allowed", "Twilio does not let this inbox in: its account_sid, key or token is not right.")
_SUSPENDED: Final = ("suspended", "The Twilio account is closed, suspended or without money.")

ERRORS: Final[Mapping[int, tuple[str, str]]] = {
    13223: _NO_NUMBER,
    13224: _NO_NUMBER,
    13225: ("blocked", "Twilio does not call this number."),
    13227: _REGION,
    20003: _NOT_ALLOWED,
    20005: _SUSPENDED,
    20404: ("not_set_up", "Twilio knows no such account: check account_sid and api_base."),
    21201: ("no_such_number", "No number to call was given."),
    21205: ("public_url", "Twilio cannot use the URL for reports: TAMAS_PUBLIC_URL must be reachable for the world."),
    21210: _OUR_NUMBER,
    21211: _NO_NUMBER,
    21212: _OUR_NUMBER,
    21214: _NO_NUMBER,
    21215: _REGION,
    21216: ("blocked", "Twilio does not call this number."),
    21217: _NO_NUMBER,
    21219: ("trial", "A trial account at Twilio reaches only numbers that were verified there."),
    21265: _NO_NUMBER,
    21408: _REGION,
    21601: _OUR_NUMBER,
    21602: ("empty", "There is no text to send."),
    21603: _OUR_NUMBER,
    21604: ("no_such_number", "No number to write to was given."),
    21605: ("too_long", "The text is longer than Twilio takes (1,600 characters)."),
    21606: _OUR_NUMBER,
    21607: _OUR_NUMBER,
    21608: ("trial", "A trial account at Twilio reaches only numbers that were verified there."),
    21609: ("public_url", "Twilio cannot use the URL for reports: TAMAS_PUBLIC_URL must be reachable for the world."),
    21610: _STOPPED,
    21611: ("queue_full", "Too many messages wait at Twilio for this inbox's number."),
    21612: ("no_route", "Twilio has no way from this inbox's number to the customer's."),
    21614: _NO_MOBILE,
    21617: ("too_long", "The text is longer than Twilio takes (1,600 characters)."),
    21635: _NO_MOBILE,
    21703: ("own_number", "The messaging service at Twilio has no number that it could send from."),
    21704: ("own_number", "The messaging service at Twilio has no number that it could send from."),
    21705: ("not_set_up", "Twilio knows no such messaging service: check messaging_service."),
    30002: _SUSPENDED,
    30003: ("unreachable_handset", "The phone is off, out of reach or cannot take messages."),
    30004: _BLOCKED,
    30005: _NO_NUMBER,
    30006: _NO_MOBILE,
    30007: ("filtered", "A carrier filtered the message out."),
    30034: ("not_registered", "The inbox's number is not registered with carriers of the customer's country."),
    63016: ("window_closed", "More than 24 hours have passed since the customer wrote: only a template may be sent."),
    63024: _NO_NUMBER,
    63032: _BLOCKED,
}
"""Code and sentence by Twilio's number."""
