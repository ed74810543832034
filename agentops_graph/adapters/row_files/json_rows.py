"""Rows of JSON: one object a line, or one array of objects."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from pydantic_core import from_json

from agentops_graph.adapters.row_files.lines import Lines, fault_of, kept, lines_of
from agentops_graph.domain.rows import ABSENT, RAW_LIMIT, BadRow, Chunk
from agentops_graph.errors import InputError

MOST_ARRAY_BYTES = 64 << 20  # an array has to be held whole; lines need not
MOST_NAMES = 2000  # different keys in one chunk, each of which is a column in memory
ROWS = 20_000


def line_chunks(stream: BinaryIO, done: Callable[[], float]) -> Iterator[Chunk]:
    """Of JSON lines; blank ones are passed over."""
    first = 1
    for lines in lines_of(stream):
        yield _of_lines(lines, first, done())
        first += len(lines.texts)


def array_chunks(stream: BinaryIO, name: str, done: Callable[[], float]) -> Iterator[Chunk]:
    """Of one array; the number of an element stands for its line."""
    text = stream.read(MOST_ARRAY_BYTES + 1)
    if len(text) > MOST_ARRAY_BYTES:
        raise InputError(
            f"is a JSON array of more than {MOST_ARRAY_BYTES >> 20} MB; write one object a line "
            "(JSON lines), which may be of any length",
            field=name,
        )
    try:
        rows = from_json(text)
    except ValueError as error:
        raise InputError(f"is no JSON: {str(error)[:200]}", field=name) from None
    for start in range(0, len(rows), ROWS):
        numbered = enumerate(rows[start : start + ROWS], start + 1)
        good = {number: row for number, row in numbered if isinstance(row, dict)}
        others = [n for n in range(start + 1, start + 1 + ROWS) if n not in good]
        bad = [
            BadRow(n, "is no JSON object", repr(rows[n - 1])[:RAW_LIMIT])
            for n in others
            if n <= len(rows)
        ]
        yield _chunk(good, bad, done())


def _of_lines(lines: Lines, first: int, done: float) -> Chunk:
    good: dict[int, Mapping[str, Any]] = {}
    bad: list[BadRow] = []
    for number, line in enumerate(lines.texts, first):
        if not line or line.isspace():
            continue
        fault = None if lines.is_plain else fault_of(line)
        if fault is None:
            try:
                row = from_json(line)
            except ValueError as error:
                fault = f"is no JSON: {str(error).partition(' at line')[0][:100]}"
            else:
                if isinstance(row, dict):
                    good[number] = row
                    continue
                fault = "is no JSON object"
        bad.append(BadRow(number, fault, kept(line)))
    return _chunk(good, bad, done)


def _chunk(good: Mapping[int, Mapping[str, Any]], bad: list[BadRow], done: float) -> Chunk:
    rows = list(good.values())
    layouts = list(dict.fromkeys(map(tuple, rows)))
    names = list(dict.fromkeys(name for layout in layouts for name in layout))
    if len(names) > MOST_NAMES:
        return _chunk(*_narrowed(good, bad, frozenset(names[:MOST_NAMES])), done)
    if len(layouts) == 1:
        values = list(zip(*(row.values() for row in rows), strict=True))
    else:
        values = [tuple(row.get(name, ABSENT) for row in rows) for name in names]
    return Chunk(tuple(names), values, list(good), bad, done)


def _narrowed(
    good: Mapping[int, Mapping[str, Any]], bad: list[BadRow], names: frozenset[str]
) -> tuple[Mapping[int, Mapping[str, Any]], list[BadRow]]:
    kept = {number: row for number, row in good.items() if names.issuperset(row)}
    why = f"brings a new name, after {MOST_NAMES} different ones in the rows around it"
    lost = [BadRow(n, why, repr(row)[:RAW_LIMIT]) for n, row in good.items() if n not in kept]
    return kept, bad + lost
