"""What pyproject.toml asks for, what constraints.txt pins, and what is installed."""

import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from tests.house.tree import ROOT

_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def pins() -> dict[NormalizedName, str]:
    """Version by canonical name, from constraints.txt."""
    found = _PIN.findall((ROOT / "constraints.txt").read_text("utf-8"))
    return {canonicalize_name(name): version for name, version in found}


def asked() -> list[Requirement]:
    """Everything that pyproject.toml names: to run, to build, to develop."""
    project = _project()
    return [
        Requirement(one)
        for one in (
            *project["project"]["dependencies"],
            *project["dependency-groups"]["dev"],
            *project["build-system"]["requires"],
        )
    ]


def runtime() -> set[NormalizedName]:
    """Canonical names of all that is installed for running, dependencies of dependencies included."""
    found: set[NormalizedName] = set()
    _follow(map(Requirement, _project()["project"]["dependencies"]), found, set())
    return found


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def _follow(
    wanted: Iterable[Requirement], found: set[NormalizedName], seen: set[tuple[NormalizedName, frozenset[str]]]
) -> None:
    for one in wanted:
        name = canonicalize_name(one.name)
        key = (name, frozenset(one.extras))
        if key in seen:
            continue
        seen.add(key)
        try:
            needs = [Requirement(text) for text in requires(name) or ()]
        except PackageNotFoundError:
            continue
        found.add(name)
        _follow([need for need in needs if _applies(need, one.extras)], found, seen)


def _applies(need: Requirement, extras: set[str]) -> bool:
    if need.marker is None:
        return True
    return any(need.marker.evaluate({"extra": extra}) for extra in ("", *extras))
