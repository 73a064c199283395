"""Subscriber.java, compiled and started with any Java that runs Kafka: the compiler is a jar, too."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.embedded.jars import ensure_jars, read_lock
from services.embedded.java import find_java
from services.settings import Settings
from services.topics import name_of

_HERE: Final = Path(__file__).parent
_COMPILER: Final = "org.eclipse.jdt.internal.compiler.batch.Main"
_FLAGS: Final = ("-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A Java program that can be started."""

    command: tuple[str, ...]

    def start(self, settings: Settings, wanted: int) -> subprocess.Popen[str]:
        """It reads the interactions until it has so many."""
        words = (settings.kafka_bootstrap_servers, name_of(settings, "interactions"), str(wanted))
        return subprocess.Popen(
            [*self.command, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            stdin=subprocess.DEVNULL,
        )


def compiled(folder: Path) -> Compiled:
    """Put its classes there."""
    java = find_java()
    classpath = ":".join(map(str, [*ensure_jars(read_lock(_HERE / "jars.lock")), *ensure_jars()]))
    run = (str(java.executable), *_FLAGS, *java.flags, "-cp", f"{folder}:{classpath}")
    compile_it = (*run, _COMPILER, "-17", "-d", str(folder), "-cp", classpath, str(_HERE / "Subscriber.java"))
    done = subprocess.run(compile_it, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Compiled((*run, "Subscriber"))
