from typing import get_args

from services.demo.outside import Mail, Mailboxes, Outside
from services.demo.replies import Outcome, replies
from services.demo.tally import Line, seen_outside
from services.demo.twilio import Made, Twilio

_REPLIES = replies("chat:v.someone")


def test_every_kind_of_outcome_is_among_the_replies() -> None:
    assert {reply.outcome for reply in _REPLIES} == set(get_args(Outcome))
    assert len({reply.text for reply in _REPLIES}) == len(_REPLIES)


def test_what_is_sent_twice_is_seen() -> None:
    there = Outside(Twilio("token", frozenset()), Mailboxes())
    sms = next(reply for reply in _REPLIES if reply.by == "sms/twilio")
    mail = next(reply for reply in _REPLIES if reply.outcome == "held")
    there.twilio.made += [Made(str(number), [("To", sms.to), ("Body", sms.text)]) for number in range(2)]
    raw = f"Content-Type: text/plain; charset=utf-8\n\n{mail.text}".encode()
    there.mailboxes.taken += [Mail(mail.to, raw), Mail(mail.to, raw)]
    found = seen_outside(_REPLIES, there, [])
    assert (found["sent twice"], found["held for quiet hours"], found["handed off"]) == (2, 0, 4)


def test_a_number_is_wrong_wherever_it_is_wrong() -> None:
    assert Line("x", 1, 1, None).is_right
    assert not Line("x", 1, 1, 2).is_right
    assert not Line("x", 1, 0, 1).is_right
