"""Rows of JSON: one object a line, or one array of objects."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from pydantic_core import from_json, to_json

from agentops_graph.adapters.row_files.lines import Lines, fault_of, kept, lines_of
from agentops_graph.domain.rows import ABSENT, RAW_LIMIT, BadRow, Chunk
from agentops_graph.errors import InputError

MOST_ARRAY_BYTES = 64 << 20  # an array has to be held whole; lines need not
MOST_NAMES = 2000  # different keys in one chunk, each of which is a column in memory
MOST_CELLS = 2_000_000  # rows times names of one chunk: a short row is as wide there as a long one
ROWS = 20_000


def line_chunks(stream: BinaryIO, done: Callable[[], float]) -> Iterator[Chunk]:
    """Of JSON lines; blank ones are passed over."""
    first = 1
    for lines in lines_of(stream):
        yield from _chunks(_of_lines(lines, first), done())
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
    if rows:
        yield from _chunks(enumerate(rows, 1), done())


def _of_lines(lines: Lines, first: int) -> Iterator[tuple[int, Any]]:
    """The value of each line; of one that can't be read what is wrong with it."""
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
                    yield number, row
                    continue
                fault = "is no JSON object"
        yield number, BadRow(number, fault, kept(line))


def _chunks(rows: Iterable[tuple[int, Any]], done: float) -> Iterator[Chunk]:
    piece = _Piece()
    for number, row in rows:
        if not piece.has_room(row):
            yield piece.chunk(done)
            piece = _Piece()
        piece.add(number, row)
    yield piece.chunk(done)


class _Piece:
    """Rows on their way into one chunk."""

    def __init__(self) -> None:
        self._good: dict[int, Mapping[str, Any]] = {}
        self._bad: list[BadRow] = []
        self._names: dict[str, None] = {}

    def has_room(self, row: Any) -> bool:
        count = len(self._good)
        if count + len(self._bad) >= ROWS:
            return False
        if not count or not isinstance(row, dict):
            return True
        wider = self._width_with(row)
        width = wider if wider <= MOST_NAMES else len(self._names)  # else it is refused
        return (count + 1) * width <= MOST_CELLS

    def _width_with(self, row: Mapping[str, Any]) -> int:
        if row.keys() <= self._names.keys():
            return len(self._names)
        return len(self._names) + sum(name not in self._names for name in row)

    def add(self, number: int, row: Any) -> None:
        if isinstance(row, BadRow):
            self._bad.append(row)
        elif not isinstance(row, dict):
            self._bad.append(_refused(number, "is no JSON object", row))
        elif self._width_with(row) <= MOST_NAMES:
            self._names.update(dict.fromkeys(row))
            self._good[number] = row
        else:
            why = f"brings a new name, after {MOST_NAMES} different ones in the rows around it"
            self._bad.append(_refused(number, why, row))

    def chunk(self, done: float) -> Chunk:
        rows, names = list(self._good.values()), self._names
        layouts = set(map(tuple, rows))
        if len(layouts) == 1:
            values = list(zip(*(row.values() for row in rows), strict=True))
        else:
            values = [tuple(row.get(name, ABSENT) for row in rows) for name in names]
        return Chunk(tuple(names), values, list(self._good), self._bad, done)


def _refused(number: int, reason: str, row: Any) -> BadRow:
    raw = to_json(row, inf_nan_mode="constants").decode(errors="replace")
    return BadRow(number, reason, raw[:RAW_LIMIT])
