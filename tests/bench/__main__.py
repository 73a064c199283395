"""`python -m tests.bench [PART…]`: measures, prints, and writes `build/bench.json`.

Parts: see PARTS and ALONE; without, all.
"""

import logging
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import structlog

from tests.bench import figures
from tests.bench.bounds import bounds
from tests.bench.calls import calls
from tests.bench.conversation import conversation
from tests.bench.deciding import deciding
from tests.bench.desks import desks
from tests.bench.dispatch import dispatch
from tests.bench.figures import Figure
from tests.bench.intake import latency, throughput
from tests.bench.mails import mails
from tests.bench.memory import memory
from tests.bench.mix import mix
from tests.bench.monitoring import monitoring
from tests.bench.projector import projector
from tests.bench.resolver import resolver
from tests.bench.sockets import sockets
from tests.bench.spool import spool
from tests.bench.stand import Servers, servers
from tests.bench.visible import visible

PARTS: dict[str, Callable[[Servers], list[Figure]]] = {
    "throughput": throughput,
    "latency": latency,
    "mix": mix,
    "calls": calls,
    "sockets": sockets,
    "mails": mails,
    "visible": visible,
    "deciding": deciding,
    "desks": desks,
    "dispatch": dispatch,
    "projector": projector,
    "conversation": conversation,
    "memory": memory,
    "monitoring": monitoring,
    "spool": spool,
}
ALONE: dict[str, Callable[[], list[Figure]]] = {"bounds": bounds, "resolver": resolver}
"""Parts that need no servers."""


def main(names: list[str]) -> int:
    """0 when everything holds, 1 when something does not, 2 for a part that there is none of."""
    if unknown := set(names) - PARTS.keys() - ALONE.keys():
        print(f"There is no part {', '.join(unknown)}; there are: {', '.join([*ALONE, *PARTS])}", file=sys.stderr)
        return 2
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    found: list[Figure] = []
    with ExitStack() as stack:
        stand: Servers | None = None
        for name in names or [*ALONE, *PARTS]:
            began = time.monotonic()
            if name in ALONE:
                measured = ALONE[name]()
            else:
                stand = stand or stack.enter_context(servers())
                measured = PARTS[name](stand)
            print(f"{name} ({time.monotonic() - began:.0f} s)", *map(figures.line, measured), sep="\n  ", flush=True)
            found += measured
    figures.write(found, Path("build/bench.json"))
    return 0 if all(figure.holds is not False for figure in found) else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
