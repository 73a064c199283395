"""compose.yaml as Compose reads it: anchors resolved, variables put in."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast

import yaml

from tests.house.tree import ROOT

PATH: Final = ROOT / "deploy" / "compose.yaml"
_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def read(variables: Mapping[str, str]) -> dict[str, Any]:
    """The whole file. Source: Compose Specification, Interpolation.

    Raises:
        KeyError: a variable that must be given is not.
    """

    def put_in(found: re.Match[str]) -> str:
        name, kind, text = found.groups()
        if name in variables:
            return variables[name]
        if kind == "-":
            return text
        raise KeyError(f"{name}: {text}")

    return cast("dict[str, Any]", yaml.safe_load(_VARIABLE.sub(put_in, PATH.read_text("utf-8"))))


def ours(file: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    return {name: one for name, one in file["services"].items() if one["image"].startswith("tamas")}
