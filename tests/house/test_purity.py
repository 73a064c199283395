"""Time, ids and randomness are arguments in the pure packages. Ruff holds it; this holds ruff's configuration."""

import subprocess
import sys

import pytest

from tests.house.tree import ROOT

FORBIDDEN = (
    "from datetime import datetime\n\nnow = datetime.now\n",
    "from datetime import datetime\n\nnow = datetime.utcnow\n",
    "from datetime import date\n\ntoday = date.today\n",
    "import time\n\nnow = time.time\n",
    "import time\n\nnow = time.monotonic\n",
    "from uuid import uuid4\n",
    "import uuid\n\nmade = uuid.uuid1\n",
    "import random\n",
    "from secrets import token_hex\n",
    "import os\n\ndrawn = os.urandom\n",
)


def _is_banned(code: str, path: str) -> bool:
    command = [sys.executable, "-m", "ruff", "check", "--select", "TID251", "--stdin-filename", path, "-"]
    checked = subprocess.run(command, cwd=ROOT, input=code, text=True, capture_output=True, check=False)
    assert checked.returncode in {0, 1}, checked.stderr
    return checked.returncode == 1


@pytest.mark.parametrize("package", ["channels/sms", "projections/timeline", "schemas"])
@pytest.mark.parametrize("code", FORBIDDEN)
def test_pure_packages_cannot_ask_for_time_ids_or_chance(code: str, package: str) -> None:
    assert _is_banned(code, f"{package}/example.py")


@pytest.mark.parametrize("package", ["services/ops", "tests/house"])
def test_services_and_tests_can(package: str) -> None:
    assert not any(_is_banned(code, f"{package}/example.py") for code in FORBIDDEN)
