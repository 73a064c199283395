"""deploy/prometheus and deploy/grafana, as far as they can be judged without an installation."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.named import RULES, dashboard, recorded, rules
from tests.house.tree import ROOT


def _promtool(*words: str | Path) -> None:
    program = shutil.which("promtool")
    if program is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    ran = subprocess.run([program, *words], capture_output=True, text=True, check=False, timeout=240)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("name", ["rules", "silence"])
def test_alarms_sound_when_they_should(name: str) -> None:
    _promtool("test", "rules", ROOT / f"tests/deploy/{name}.test.yml")


def test_rules_and_panels_are_what_prometheus_reads(tmp_path: Path) -> None:
    """The dashboard's expressions as rules: promtool reads nothing else."""
    texts = [target["expr"] for panel in dashboard()["panels"] for target in panel.get("targets", ())]
    made = [{"record": f"panel:{n}", "expr": text.replace("$", "")} for n, text in enumerate(texts)]
    path = tmp_path / "panels.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": made}]}), "utf-8")
    _promtool("check", "rules", path, RULES)


def test_every_alarm_has_a_line_on_what_to_do() -> None:
    page = (ROOT / "deploy/README.md").read_text("utf-8").partition("\n## Alarms\n")[2]
    told = {head: text.strip() for head, _, text in (part.partition("\n") for part in page.split("\n### ")[1:])}
    alarms = {rule["alert"]: rule for rule in rules() if "alert" in rule}
    assert alarms.keys() == told.keys()
    assert all(told.values())
    for name, rule in alarms.items():
        assert rule["annotations"]["runbook"] == f"deploy/README.md#{name.lower()}"
        assert rule["labels"]["severity"] in {"critical", "warning"}


def test_every_alarm_is_tried() -> None:
    texts = "".join((ROOT / f"tests/deploy/{name}.test.yml").read_text("utf-8") for name in ("rules", "silence"))
    tried = {one["alertname"] for test in _tests(texts) for one in test["alert_rule_test"] if one["exp_alerts"]}
    assert tried == {rule["alert"] for rule in rules() if "alert" in rule}


def _tests(texts: str) -> list[dict[str, list[dict[str, str]]]]:
    return [test for part in texts.split("rule_files")[1:] for test in yaml.safe_load(f"rule_files{part}")["tests"]]


def test_recorded_names_are_recorded() -> None:
    assert recorded() == {rule["record"] for rule in rules() if "record" in rule}


def test_the_dashboard_is_whole() -> None:
    found = dashboard()
    panels = [panel for panel in found["panels"] if panel["type"] != "row"]
    assert found["schemaVersion"] >= 38
    assert len({panel["id"] for panel in found["panels"]}) == len(found["panels"])
    assert {one["name"] for one in found["templating"]["list"]} == {"datasource", "tenant", "inbox_id"}
    assert all(panel["targets"] and panel["title"] for panel in panels)
    cells = [cell for panel in found["panels"] for cell in _cells(**panel["gridPos"])]
    assert len(cells) == len(set(cells)), "panels overlap"


def _cells(h: int, w: int, x: int, y: int) -> list[tuple[int, int]]:
    return [(column, line) for column in range(x, x + w) for line in range(y, y + h)]
