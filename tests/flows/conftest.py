from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flows.installation import Installation
from tests.servers import _reachable


@pytest.fixture
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A running installation of its own."""
    made = Installation(_reachable(tmp_path_factory, "up"))
    yield made
    made.stop()


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place for another installation or server."""
    return _reachable(tmp_path_factory, "other")
