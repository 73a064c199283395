"""What the alarms and the dashboard name."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from tests.house.tree import ROOT

RULES: Final = ROOT / "deploy/prometheus/rules.yml"
_NAME: Final = re.compile(r"\b(?:tamas|process|python)_[a-z_]+\b")
_NO_METRICS: Final = re.compile(r"\b(?:by|on) \([^)]*\)|\{[^}]*\}|inbox:[a-z_:]+")


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    return json.loads((ROOT / "deploy/grafana/tamas.json").read_text("utf-8"))


def expressions() -> Iterator[str]:
    """Of every rule and every panel."""
    yield from (rule["expr"] for rule in rules())
    yield from (target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ()))
    yield from (one["definition"] for one in dashboard()["templating"]["list"] if "definition" in one)


def metrics() -> set[str]:
    """As they stand on the page of a scrape."""
    return {name for text in expressions() for name in _NAME.findall(_NO_METRICS.sub("", text))}


def recorded() -> set[str]:
    """Names of recording rules that are used."""
    return {name for text in expressions() for name in re.findall(r"inbox:[a-z_:]+", text)}
