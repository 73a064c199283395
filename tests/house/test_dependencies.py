"""Dependencies: pinned, hashed, installed as pinned, and out of the way of our four packages."""

from importlib.metadata import distributions, version
from typing import Final

from packaging.utils import canonicalize_name

from tests.house.dependencies import asked, pins
from tests.house.tree import OURS, ROOT

PINS: Final = pins()


def test_everything_asked_for_is_pinned_within_its_bounds() -> None:
    wrong = [
        str(one)
        for one in asked()
        if (pin := PINS.get(canonicalize_name(one.name))) is None or not one.specifier.contains(pin, prereleases=True)
    ]
    assert wrong == []


def test_every_pin_has_a_hash() -> None:
    entries = (ROOT / "constraints.txt").read_text("utf-8").replace("\\\n", " ").splitlines()
    assert len(entries) == len(PINS)
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_is_installed_is_what_is_pinned() -> None:
    names = {canonicalize_name(one.name) for one in asked()}
    installed = {name: version(name) for name in names}
    assert installed == {name: PINS[name] for name in names}


def test_no_dependency_brings_a_package_of_our_names() -> None:
    """Our packages are top-level ones: a distribution with a `services` of its own would hide or mix with ours."""
    intruders = {
        one.name
        for one in distributions()
        if one.name != "tamas"
        for file in one.files or ()
        if file.parts[0].removesuffix(".py") in OURS
    }
    assert intruders == set()
