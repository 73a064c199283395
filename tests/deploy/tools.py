"""Programs of `make deploy-tools`, for tests; and, run by their Python, what has no command of its own.

`python tools.py chart FOLDER` reads values as JSON and prints the manifests by template; `python tools.py compose`
reads a file of Compose. Both complain.
"""

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[2] / "build" / "deploy-tools" / "bin"
KUBERNETES: Final = ("1.30", "1.33", "1.37")
ABSENT: Final = "build/deploy-tools is not there: make deploy-tools"


def are_there() -> bool:
    return (FOLDER.parent / ".installed").exists()


def run(program: str, *words: str, given: str = "") -> str:
    """What it prints; an assertion with it where it is not content."""
    done = subprocess.run([FOLDER / program, *words], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rendered(chart: Path, values: dict[str, Any]) -> dict[str, str]:
    """Manifests by the template that they come from."""
    return json.loads(run("python", __file__, "chart", str(chart), given=json.dumps(values)))


def _chart(folder: str) -> None:
    helm: Any = importlib.import_module("helm_python")
    values = json.load(sys.stdin)
    with helm.Chart.load(folder) as chart:
        chart.validate_schema(values)
        print(json.dumps(chart.render(values, name="hub", namespace="contact")))
    assert helm.lint(folder, values=values, strict=True)["errors"] == []


def _compose() -> None:
    compose: Any = importlib.import_module("compose_spec")
    compose.PyCompose.from_yaml(sys.stdin.read()).to_spec()


if __name__ == "__main__":
    {"chart": _chart, "compose": _compose}[sys.argv[1]](*sys.argv[2:])
