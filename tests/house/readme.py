"""README's fenced blocks, by what is to be done with them.

    sh          commands for a running installation: run one after the other
    sh up       what starts it: the test starts the same
    sh make     targets: looked up, and what stands behind them is tested by its own tests
    sh kcat     commands that need a program which is not ours
    text after sh   what is printed; `…` stands for anything
Other languages (mermaid, java) show something and are no commands.
"""

import re
from dataclasses import dataclass
from typing import Final

from tests.house.tree import ROOT

README: Final = ROOT / "README.md"
_BLOCK: Final = re.compile(r"^```([^\n`]+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One block; `printed` is the text block right behind it."""

    info: str
    code: str
    printed: str

    def missing_from(self, output: str) -> list[str]:
        """The lines that should have been printed and were not."""
        wanted = [line for line in self.printed.splitlines() if line.strip()]
        return [line for line in wanted if not re.search(re.escape(line).replace("…", ".*"), output)]


def blocks() -> list[Block]:
    """All of them, in order."""
    return [Block(info.strip(), code, printed) for info, code, printed in _BLOCK.findall(README.read_text("utf-8"))]


def inline() -> set[str]:
    """The commands that the text names in passing: `tamas parked show ID` is `tamas parked show`."""
    text = _BLOCK.sub("", README.read_text("utf-8"))
    return {" ".join(("tamas", *words.split())) for words in re.findall(r"`tamas((?: [a-z]+)+)", text)}


def fences() -> int:
    """How many lines open or close a block."""
    return len(re.findall(r"^```", README.read_text("utf-8"), re.MULTILINE))


def targets(block: Block) -> list[list[str]]:
    """The words after `make` of each line."""
    lines = [line.partition("#")[0].split() for line in block.code.splitlines() if line.strip()]
    assert all(words[0] == "make" for words in lines), block.code
    return [words[1:] for words in lines]
