"""How the tree looks: sizes, names, and what no file may say."""

import re
from pathlib import Path
from typing import Final

from tests.house.tree import OURS, ROOT, files, texts

LONGEST: Final = 300
BY_KIND: Final = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "models", "misc"}
REGISTRY: Final = re.compile(r"https?://[^\s/]*(?:pypi|pythonhosted|npmjs|debian|maven|golang)[^\s/]*/?", re.IGNORECASE)
SHARED_FOLDERS: Final = {"/", "/home", "/opt", "/root", "/srv", "/tmp", "/usr/src", "/var/tmp"}  # noqa: S108 - names only


def _machine_paths() -> list[str]:
    """This checkout, the folder it is in, and the home of whoever runs the tests."""
    places = {str(ROOT), str(ROOT.parent), str(Path.home())} - SHARED_FOLDERS
    return [place + "/" for place in sorted(places)]


def test_files_are_found() -> None:
    assert Path("tests/house/tree.py") in files(".py")


def test_no_python_file_is_long() -> None:
    sizes = {path: len((ROOT / path).read_text("utf-8").splitlines()) for path in files(".py")}
    assert {path: size for path, size in sizes.items() if size > LONGEST} == {}


def test_modules_are_named_by_subject() -> None:
    parts = {path: {*path.parts[:-1], path.stem} for path in files(".py")}
    assert [path for path, named in parts.items() if named & BY_KIND] == []


def test_init_files_are_empty() -> None:
    assert [path for path in files("__init__.py") if (ROOT / path).read_bytes()] == []


def test_every_folder_of_python_is_a_package() -> None:
    folders = {path.parent for path in files(".py") if path.parts[0] in {*OURS, "tests"}}
    assert sorted(folder for folder in folders if not (ROOT / folder / "__init__.py").is_file()) == []


def test_no_file_names_this_machine() -> None:
    places = _machine_paths()
    assert [(path, place) for path, text in texts() for place in places if place in text] == []


def test_no_file_names_a_registry() -> None:
    assert [(path, found[0]) for path, text in texts() if (found := REGISTRY.search(text))] == []


def test_nobody_publishes_in_a_batch_that_ignores_keys() -> None:
    """FastStream's `publish_batch` picks partitions without looking at keys: use `publish(key=…, no_confirm=True)`."""
    called = re.compile(r"\.publish_batch\(")
    assert [path for path, text in texts() if path.suffix == ".py" and called.search(text)] == []
