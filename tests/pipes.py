"""A reader that does not read."""

import os
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def full_pipe() -> Generator[int]:
    """The writing end of a pipe that is full; whoever writes to it waits for ever."""
    there, here = os.pipe()
    os.set_blocking(here, False)
    while _is_taken(here):
        pass
    os.set_blocking(here, True)
    try:
        yield here
    finally:
        os.close(there)
        os.close(here)


def _is_taken(pipe: int) -> bool:
    try:
        return os.write(pipe, b"x" * 4096) > 0
    except BlockingIOError:
        return False
