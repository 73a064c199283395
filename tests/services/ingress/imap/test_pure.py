"""What needs no server: which UIDs are missing, what is fetched at once, what an error means."""

import ssl
from collections.abc import Sequence

import pytest
from imapclient.exceptions import CapabilityError, IMAPClientAbortError, IMAPClientError, LoginError

from channels.email.imap import ImapConfig
from services.ingress.imap.batch import groups, too_large
from services.ingress.imap.places import Place, missing, sequence_set
from services.ingress.imap.troubles import Kind, pause_seconds, trouble

CONFIG = ImapConfig.model_validate({"address": "a@b.example", "host": "h.example", "user": "u", "password": "p"})
MIB = 1 << 20


@pytest.mark.parametrize(
    ("floor", "kept", "last", "present", "fetched", "wanted"),
    [
        (0, 0, 3, [1, 2, 3], [1, 2, 3], []),
        (0, 0, 3, [1, 3], [1, 3], [2]),
        (9, 0, 9, [2, 5], [2, 5], []),
        (9, 9, 12, [11], [11], [10, 12]),
        (9, 4, 12, [6, 11], [6, 11], [10, 12]),
        (9, 4, 9, [6, 8], [6], [8]),
        (0, 7, 9, [], [], [8, 9]),
        (0, 9, 9, [], [], []),
    ],
)
def test_missing_is_what_was_never_read_and_came_after_us(
    floor: int, kept: int, last: int, present: Sequence[int], fetched: Sequence[int], wanted: list[int]
) -> None:
    assert missing(Place(1, floor, kept, kept), last, present, fetched) == wanted


@pytest.mark.parametrize(
    ("uids", "written"), [([], ""), ([7], "7"), ([7, 9, 10, 11, 12], "7,9:12"), ([1, 2, 4, 6, 7], "1:2,4,6:7")]
)
def test_uids_are_written_as_imap_does(uids: list[int], written: str) -> None:
    assert sequence_set(uids) == written


@pytest.mark.parametrize(
    ("sizes", "wanted"),
    [
        ({}, []),
        ({3: 1, 1: 1, 2: 1}, [[1, 2, 3]]),
        ({1: 5 * MIB, 2: 3 * MIB, 3: 1}, [[1, 2], [3]]),
        ({1: 20 * MIB, 2: 1, 3: 8 * MIB}, [[1], [2], [3]]),
    ],
)
def test_a_few_mib_are_fetched_at_once(sizes: dict[int, int], wanted: list[list[int]]) -> None:
    assert list(groups(sizes)) == wanted


def test_the_limit_is_that_of_the_other_mail_door() -> None:
    assert too_large(25 * MIB) is None
    assert "26214401 bytes" in str(too_large(25 * MIB + 1))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (LoginError("b'[AUTHENTICATIONFAILED] Authentication failed.'"), "refused", "the user and password of this"),
        (LoginError("[UNAVAILABLE] Temporary authentication failure."), "away", "takes no logins at the moment"),
        (LoginError("[LIMIT] Too many connections"), "away", "takes no logins at the moment"),
        (CapabilityError("Server does not support STARTTLS capability"), "refused", "cannot do what this inbox"),
        (ssl.SSLCertVerificationError(1, "x"), "refused", "certificate that is not to be trusted"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong"), "away", "does not speak TLS as this inbox is set to"),
        (TimeoutError(), "away", "did not answer in time"),
        (ConnectionRefusedError(111, "Connection refused"), "away", "is not reached: [Errno 111] Connection refused"),
        (IMAPClientAbortError("socket error: EOF"), "away", "closed the connection: socket error: EOF"),
        (IMAPClientError("select failed: no\nsecond line"), "away", "answered: select failed: no"),
        (KeyError("x"), "away", "is not reached"),
    ],
)
def test_errors_are_told_in_words(error: Exception, kind: Kind, said: str) -> None:
    found = trouble(error, CONFIG)
    assert found.kind == kind
    assert found.reason.startswith("h.example:993 ")
    assert said in found.reason
    assert "\n" not in found.reason


def test_a_token_is_not_called_a_password() -> None:
    told = trouble(LoginError("no"), CONFIG.model_copy(update={"login": "xoauth2"})).reason
    assert "the user and access token of this inbox" in told


@pytest.mark.parametrize(("kind", "first", "later"), [("away", 1, 300), ("refused", 120, 3600)])
def test_pauses_grow_and_are_spread(kind: Kind, first: float, later: float) -> None:
    assert pause_seconds(kind, 1, 0.5) == first
    assert pause_seconds(kind, 2, 0.5) == 2 * first
    assert pause_seconds(kind, 1000, 0.5) == later
    assert pause_seconds(kind, 1, 0) < first < pause_seconds(kind, 1, 1)
