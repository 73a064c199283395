"""Which lines of the parsers ran for the first time: what leads a fuzzer to where nothing has been yet.

Only lines that have not run are watched, and functions whose lines all ran are not entered; so it costs what a third of
the requests would. No package does it on every machine: the wheels of atheris are for x86-64 only.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

_WATCHED: Final = str(Path(__file__).parents[2] / "channels") + "/"

Trace = Callable[[FrameType, str, Any], Any]


class Lines:
    """Counts lines of channels/ at the first time that they run."""

    def __init__(self) -> None:
        self.seen = 0
        self._left: dict[CodeType, set[int] | None] = {}

    def fresh(self, work: Callable[[], object]) -> bool:
        """Do `work`; whether it came to a line where nothing was before."""
        before, tracing = self.seen, sys.gettrace()
        sys.settrace(self._call)
        try:
            work()
        finally:
            sys.settrace(tracing)
        return self.seen > before

    def _call(self, frame: FrameType, _event: str, _argument: Any) -> Trace | None:
        code = frame.f_code
        if code not in self._left:
            lines = {line for *_, line in code.co_lines() if line is not None}
            self._left[code] = lines if code.co_filename.startswith(_WATCHED) else None
        return self._line if self._left[code] else None

    def _line(self, frame: FrameType, event: str, _argument: Any) -> Trace | None:
        left = self._left[frame.f_code]
        if left and event == "line" and frame.f_lineno in left:
            left.discard(frame.f_lineno)
            self.seen += 1
        return self._line if left else None
