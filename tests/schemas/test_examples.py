"""A golden sample of every fact that was ever published stays readable for ever."""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from schemas.event import AnyFact, Undecodable, read_fact
from schemas.fact import Part, join

EXAMPLES = {
    path.stem: path.read_bytes() for path in sorted((Path(__file__).parents[2] / "schemas" / "examples").glob("*.json"))
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_is_read(name: str) -> None:
    fact = read_fact(EXAMPLES[name])
    assert f"{fact.type}.{fact.version}" == name


@pytest.mark.parametrize("name", EXAMPLES)
def test_shows_every_field(name: str) -> None:
    assert _left_out(read_fact(EXAMPLES[name])) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_is_written_as_it_was_read(name: str) -> None:
    fact = read_fact(EXAMPLES[name])
    written = join(fact.clear_json(), fact.personal_json())
    assert json.loads(written) == json.loads(EXAMPLES[name])
    assert read_fact(written) == fact


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_a_newer_writer_adds_is_ignored(name: str) -> None:
    newer: dict[str, Any] = json.loads(EXAMPLES[name])
    newer["added_later"] = {"deep": [1]}
    if "personal" in newer:
        newer["personal"]["added_later"] = 1
    assert read_fact(json.dumps(newer).encode()) == read_fact(EXAMPLES[name])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_erased_fact_is_read_without_its_personal_part(name: str) -> None:
    fact: AnyFact = read_fact(read_fact(EXAMPLES[name]).clear_json())
    assert getattr(fact, "personal", None) is None


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"{}", b'{"type":"interaction.lost"}', b'{"type":"inbox.disabled","version":2}']
)
def test_anything_else_is_undecodable(payload: bytes) -> None:
    with pytest.raises(Undecodable):
        read_fact(payload)


def _left_out(part: Part) -> list[str]:
    missing = [name for name in type(part).model_fields if not getattr(part, name)]
    for name in type(part).model_fields:
        value = getattr(part, name)
        inner = cast("tuple[object, ...]", value if isinstance(value, tuple) else (value,))
        missing += [f"{name}.{left}" for one in inner if isinstance(one, Part) for left in _left_out(one)]
    return [name for name in missing if getattr(part, name, None) is not False]
