"""Tells the lines of a Markdown text that stand inside code fences from all others."""

import re
from collections.abc import Iterable, Iterator

FENCE = re.compile(r"^\s*(`{3,}(?=[^`]*$)|~{3,})(.*)$")


def with_fences(lines: Iterable[str]) -> Iterator[tuple[int, str, bool]]:
    """Number from 0, line, and whether it is code or a fence of code. A fence ends with a line of
    its own kind that is at least as long and says nothing else; one that never ends goes on."""
    opened = ""
    for number, line in enumerate(lines):
        match = FENCE.match(line)
        mark, said = (match[1], match[2]) if match else ("", "")
        inside = bool(opened or mark)
        if not opened:
            opened = mark
        elif mark.startswith(opened) and not said.strip():
            opened = ""
        yield number, line, inside
