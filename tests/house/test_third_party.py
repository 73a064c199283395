"""THIRD_PARTY.md tells all that we run on. Licence texts may differ by Python version and platform; names may not."""

import re

from tests.house.dependencies import pins, runtime
from tests.house.third_party import JAR_LICENCES, PAGE, jars, vendored

ROW = re.compile(r"^\| (\w[\w.:-]+) \| (\d[\w.+-]*) \| (.+) \|$", re.MULTILINE)


def _told() -> dict[str, tuple[str, str]]:
    return {name: (version, licence) for name, version, licence in ROW.findall(PAGE.read_text("utf-8"))}


def test_every_package_that_runs_here_is_told() -> None:
    assert runtime() - set(_told()) == set()


def test_packages_are_told_with_their_pinned_version() -> None:
    pinned = {str(name): version for name, version in pins().items()}
    told = {name: version for name, (version, _) in _told().items() if ":" not in name}
    assert told
    assert {name: version for name, version in told.items() if pinned.get(name) != version} == {}


def test_every_vendored_package_is_told() -> None:
    rows = PAGE.read_text("utf-8").splitlines()
    assert [one for one in vendored() if f"| {' | '.join(one)} |" not in rows] == []


def test_every_jar_is_told() -> None:
    told = {name: both for name, both in _told().items() if ":" in name}
    assert told == {name: (version, licence) for name, version, licence in jars()}


def test_no_licence_is_unknown() -> None:
    assert [name for name, (_, licence) in _told().items() if "UNKNOWN" in licence] == []


def test_no_group_of_jars_is_told_that_is_gone() -> None:
    assert set(JAR_LICENCES) == {name.split(":")[0] for name, _, _ in jars()}
