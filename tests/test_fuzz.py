"""A short fuzz of every parser with fixed seeds, and that the fuzzer sees each kind of fault when there is one."""

import os
import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Heard, InboundRequest
from channels.errors import Malformed
from tests.channels.samples import SAMPLES, channel
from tests.fuzz.elsewhere import differing
from tests.fuzz.hunt import Hunt, save
from tests.fuzz.judge import judge
from tests.fuzz.lines import Lines
from tests.fuzz.pack import hunt_all
from tests.fuzz.seeds import seeds
from tests.fuzz.shrink import keep, kept, smallest

SMS = "sms/twilio"
ONE = SAMPLES[SMS].genuine[0]


Parse = Callable[[InboundRequest], Sequence[Heard]]


class _Parser:
    acks: Any = None

    def __init__(self, parse: Parse) -> None:
        self._parse = parse

    def verify(self, request: InboundRequest) -> None: ...

    def parse(self, request: InboundRequest) -> Sequence[Heard]:
        return self._parse(request)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_broken_requests_end_in_events_or_a_named_refusal(name: str) -> None:
    hunt = Hunt(name, seed=3)
    for request in seeds(name)[:200]:
        hunt.step(request)
    for _ in range(300):
        hunt.step(hunt._drawn())
    assert not hunt.hunted.faults
    assert hunt.hunted.counted.total() > 300


def _raising(error: BaseException) -> Parse:
    def parse(_request: InboundRequest) -> Sequence[Heard]:
        raise error

    return parse


def _changing() -> Parse:
    count = iter(range(10))

    def parse(_request: InboundRequest) -> Sequence[Heard]:
        raise Malformed(f"the {next(count)}th time")

    return parse


def _endless(_request: InboundRequest) -> Sequence[Heard]:
    while True:
        try:
            while True:
                pass
        except Exception:  # noqa: BLE001, S112 - what must not hide it
            continue


def _twice(request: InboundRequest) -> Sequence[Heard]:
    return list(channel(SMS).parse(request)) * 2


def _with_nul(request: InboundRequest) -> Sequence[Heard]:
    heard = channel(SMS).parse(request)
    told = heard[0].fact.personal.model_copy(update={"text": "a\0b"})  # pyright: ignore[reportOptionalMemberAccess]
    return [replace(heard[0], fact=heard[0].fact.model_copy(update={"personal": told}))]


@pytest.mark.parametrize(
    ("parse", "fault"),
    [
        (_raising(KeyError("x")), "KeyError at"),
        (_raising(Malformed("half \ud800 a pair")), "half a surrogate pair"),
        (_changing(), "read twice"),
        (_endless, "CPU time"),
        (_with_nul, "a NUL"),
        (_twice, "one id"),
    ],
    ids=["another error", "surrogates", "not the same twice", "a hang", "NUL", "ids that are not unique"],
)
def test_a_parser_that_breaks_is_noticed(parse: Parse, fault: str) -> None:
    found = judge(SMS, _Parser(parse), ONE)
    assert fault in (found.fault or ""), found


def test_a_fault_is_made_small_and_can_be_shown_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    long = replace(ONE, body=b"x" * 5000 + b"ab" + b"y" * 5000)
    least = smallest(long, lambda request: b"a" in request.body and b"b" in request.body)
    assert (least.body, least.headers) == (b"ab", ())
    assert kept(keep(SMS, least, "a and b", ""), lambda name: SAMPLES[name].genuine[1]) == (SMS, least)


def test_new_lines_of_a_parser_are_new_once() -> None:
    lines = Lines()
    assert lines.fresh(lambda: channel(SMS).parse(ONE))
    assert not lines.fresh(lambda: channel(SMS).parse(ONE))
    assert lines.fresh(lambda: channel(SMS).parse(SAMPLES[SMS].genuine[1]))


def test_what_another_machine_reads_otherwise_is_noticed(tmp_path: Path) -> None:
    same, other = tmp_path / "same", tmp_path / "other"
    save([ONE], SMS, same, most=1)
    other.write_bytes(pickle.dumps([(SMS, ONE, "read otherwise")]))
    (found,) = differing([same, other])
    assert kept(Path(found), lambda name: SAMPLES[name].genuine[1]) == (SMS, ONE)
    Path(found).unlink()


def test_a_parser_that_ends_its_process_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ending(*_: Any, **_more: Any) -> None:
        os._exit(9)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tests.fuzz.hunt.judge", ending)
    (hunted,) = hunt_all([SMS], 5.0, seed=1)
    ((fault, (_, file)),) = hunted.faults.items()
    assert fault == "the process ended with 9"
    assert kept(Path(file), lambda name: SAMPLES[name].genuine[1])[1].body
