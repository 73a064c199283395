"""format=flowed: paragraphs put together again (RFC 3676)."""

from typing import Final

_SIGNATURE: Final = "-- "
_MOST_LINES: Final = 100_000


def unflowed(text: str, *, delete_space: bool) -> str:
    """Join flowed lines of one quote depth; `delete_space` is the DelSp parameter. Line ends become LF.

    What stands behind the first 100,000 lines stays as it is.
    """
    out: list[str] = []
    paragraph, depth_before, is_open = "", 0, False
    for line in text.replace("\r\n", "\n").split("\n", _MOST_LINES):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ") if depth or bare.startswith(" ") else bare
        is_flowed = bare.endswith(" ") and bare != _SIGNATURE
        body = bare[:-1] if is_flowed and delete_space else bare
        if is_open and depth == depth_before and bare != _SIGNATURE:
            paragraph += body
        else:
            if is_open:
                out.append(paragraph)
            paragraph = (">" * depth + " " if depth else "") + body
        if not is_flowed:
            out.append(paragraph)
        is_open, depth_before = is_flowed, depth
    if is_open:
        out.append(paragraph)
    return "\n".join(out)
