"""The project's files, as git would commit them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
OURS: Final = ("services", "channels", "projections", "schemas")
_LIST: Final = ("git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard")


def files(suffix: str = "") -> list[Path]:
    """Every file that is or would be committed, relative to the root."""
    listed = subprocess.run(_LIST, cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return sorted(Path(name) for name in listed.split("\0") if name.endswith(suffix) and (ROOT / name).is_file())


def texts() -> Iterator[tuple[Path, str]]:
    """Every one of them that is text."""
    for path in files():
        try:
            yield path, (ROOT / path).read_text("utf-8")
        except UnicodeDecodeError:
            continue
