"""Calls as Twilio tells of them: the question what to do, and reports on two legs, in any order."""

import random
from collections import Counter

import httpx

from tests.flows.doors.opened import CALLED, KEPT, Doors, Message
from tests.flows.doors.signed import post_signed

Post = tuple[str, dict[str, str]]
"""What stands behind the inbox's path, and the parameters."""

_TAKEN = Counter({"interaction.received": 1, "call.progressed": 3, "call.answered": 2, "call.ended": 2})
_MISSED = Counter({"interaction.received": 1, "call.progressed": 3, "call.ended": 3, "call.missed": 1})


def facts_of(message: Message) -> Counter[str]:
    """What the record holds of this call at the end, by type."""
    return _TAKEN if _is_taken(message) else _MISSED


def posts_of(message: Message) -> list[Post]:
    """All that is told of this call, in the order in which it comes in."""
    sid = f"CA{message.text.replace('/', '-')}"
    caller = {"CallSid": sid, "From": message.address.removeprefix("tel:"), "To": CALLED, "Direction": "inbound"}
    first = {**caller, "SipCallId": message.text}
    desk = {**caller, "CallSid": f"{sid}-d", "ParentCallSid": sid, "Direction": "outbound-dial"}
    posts = [
        ("", {**first, "CallStatus": "ringing"}),
        _report(desk, "initiated", 0),
        _report(desk, "ringing", 1),
    ]
    if _is_taken(message):
        posts += [
            _report(desk, "in-progress", 2),
            _report(first, "in-progress", 0),
            _report(desk, "completed", 3, CallDuration="52"),
            _report(first, "completed", 1, CallDuration="53"),
        ]
    else:
        dialled = {"CallStatus": "in-progress", "DialCallStatus": "no-answer", "DialCallSid": desk["CallSid"]}
        posts += [
            _report(desk, "no-answer", 2, CallDuration="0"),
            ("/status", {**first, **dialled}),
            _report(first, "completed", 0, CallDuration="31"),
        ]
    random.Random(message.text).shuffle(posts)  # noqa: S311 - the same each time
    return posts


def _is_taken(message: Message) -> bool:
    return random.Random(f"taken {message.text}").random() < 0.6  # noqa: S311 - the same each time


def _report(leg: dict[str, str], status: str, sequence: int, **more: str) -> Post:
    told = {"CallStatus": status, "SequenceNumber": str(sequence), "CallbackSource": "call-progress-events"}
    return "/status", {**leg, **told, **more}


class Gateway:
    """Tells of one call after the other; goes on with the post that was not taken."""

    def __init__(self, client: httpx.Client, doors: Doors) -> None:
        self._client = client
        self._url = doors.http + doors.call_path
        self._left: list[Post] = []

    def send(self, message: Message) -> tuple[int, bool]:
        """The status of the last post, and whether it was known."""
        self._left = self._left or posts_of(message)
        status, is_duplicate = 0, False
        while self._left:
            path, params = self._left[0]
            status, is_duplicate = post_signed(self._client, self._url + path, list(params.items()))
            if status not in KEPT:
                break
            del self._left[0]
        return status, is_duplicate
