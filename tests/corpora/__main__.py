"""`python -m tests.corpora [DIR]`: score every folder of DIR (or of TAMAS_CORPORA) and write build/corpora.json."""

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from tests.corpora.contract import Scorer
from tests.corpora.registry import SCORERS

REPORT: Final = Path("build/corpora.json")


def cases(folder: Path) -> list[dict[str, Any]]:
    """The cases of one folder; texts contain U+2028, so lines end at `\\n` only."""
    lines = (folder / "cases.jsonl").read_bytes().split(b"\n")
    return [json.loads(line) for line in lines if line.strip()]


def scored_folder(folder: Path, scorer: Scorer | None) -> dict[str, Any]:
    """`passed` and `total` count asserted fields; `skipped` counts cases that assert nothing we read."""
    report: dict[str, Any] = {"passed": 0, "total": 0, "skipped": 0, "failures": []}
    for case in cases(folder):
        scored = scorer(case, folder) if scorer else None
        if scored is None:
            report["skipped"] += 1
            continue
        report["total"] += scored.asserted
        report["passed"] += scored.asserted - len(scored.failures)
        if scored.failures:
            report["failures"].append(case["id"])
    return report


def main(arguments: list[str]) -> int:
    place = arguments[0] if arguments else os.environ.get("TAMAS_CORPORA", "")
    root = Path(place)
    if not place or not root.is_dir():
        print("Say which folder holds the corpora: python -m tests.corpora DIR, or set TAMAS_CORPORA.", file=sys.stderr)
        return 2
    folders = sorted(path.parent for path in root.glob("*/cases.jsonl"))
    report = {folder.name: scored_folder(folder, SCORERS.get(folder.name)) for folder in folders}
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf_8")
    for name, result in report.items():
        share = f"{result['passed'] / result['total']:7.1%}" if result["total"] else "skipped"
        print(f"{name:24}{share}  {result['passed']:5}/{result['total']:<5} skipped {result['skipped']}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
