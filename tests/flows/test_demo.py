import os
import subprocess
import sys
from pathlib import Path


def test_the_demo_counts_right_and_ends_by_itself(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "services", "demo"],
        env={**os.environ, "TAMAS_DATA": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "WRONG" not in ran.stdout
    assert not list(tmp_path.glob("demo-*"))
