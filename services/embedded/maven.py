"""Maven Central through `jgo`, which needs no Maven and no Java."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from jgo.maven import Dependency, MavenContext, PythonResolver

FETCH_ERRORS: Final = (OSError, RuntimeError)
_TIMEOUT_SECONDS: Final = 60
_TRIES: Final = 3


def fetch(group: str, artifact: str, version: str, directory: Path) -> Path:
    """Bring one jar below `directory`, trying three times. Raises one of FETCH_ERRORS."""
    wanted = _context(directory).project(group, artifact).at_version(version).artifact()
    for _ in range(_TRIES - 1):
        try:
            return wanted.resolve()
        except OSError:
            # A broken transfer leaves the part that came, which would be taken for the whole.
            if wanted.cached_path is not None:
                wanted.cached_path.unlink(missing_ok=True)
    return wanted.resolve()


def resolve(roots: Sequence[tuple[str, str, str]], directory: Path) -> list[tuple[str, str, str]]:
    """All artifacts that the roots need when running, themselves included, as (group, artifact, version).

    `raw` keeps one root's dependency management from ruling the other's: without it log4j's parent POM turns Kafka's
    own client library back to 3.9.1.
    """
    context = _context(directory)
    wanted = [Dependency(context.project(g, a).at_version(v).artifact(), raw=True) for g, a, v in roots]
    inputs, transitive = context.resolver.resolve(wanted)
    return [(found.groupId, found.artifactId, found.version) for found in (*inputs, *transitive)]


def _context(directory: Path) -> MavenContext:
    return MavenContext(repo_cache=directory, resolver=PythonResolver(), timeout=_TIMEOUT_SECONDS)
