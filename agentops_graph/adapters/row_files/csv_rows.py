"""Rows of CSV text; a line that is broken takes no other with it."""

import csv
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO

from agentops_graph.adapters.row_files.lines import Lines, fault_of, kept, lines_of
from agentops_graph.domain.rows import LONGEST_ROW, BadRow, Chunk
from agentops_graph.errors import InputError

csv.field_size_limit(LONGEST_ROW + 1)
END = Lines([], is_plain=True)


class CsvRows:
    """One reading of a CSV stream."""

    def __init__(self, stream: BinaryIO, name: str, separator: str | None) -> None:
        self._stream, self._name, self._separator = stream, name, separator
        self._header: list[str] | None = None
        self._line = 1  # of the first line that waits
        self._waiting: list[str] = []

    def chunks(self, done: Callable[[], float]) -> Iterator[Chunk]:
        """A chunk per block. The header is the first line that is not blank."""
        for lines in chain(lines_of(self._stream), [END]):
            self._waiting += lines.texts
            if self._header is None and not self._take_header():
                continue
            chunk = self._fast(done()) if lines.is_plain else None
            chunk = chunk or self._slow(done(), is_last=lines is END)
            if chunk.count:
                yield chunk
        if self._header is None:
            raise InputError(
                "holds only blank lines; a CSV file begins with its header", field=self._name
            )

    def _take_header(self) -> bool:
        while self._waiting and not self._waiting[0].strip():
            self._drop(1)
        if not self._waiting:
            return False
        line = self._waiting[0]
        fault = fault_of(line)
        if fault or "\0" in line:
            raise InputError(
                f"{fault or 'its header holds NUL bytes'}; is it a CSV file? Write it anew, as "
                "UTF-8",
                field=f"{self._name}:{self._line}",
            )
        if self._separator is None:
            self._separator = max(",;\t|", key=line.count)
        names = [name.strip() for name in next(self._parsed([line]), [])]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise InputError(
                f"its header names the column {twice[0]!r} twice", field=f"{self._name}:1"
            )
        self._header = names
        self._drop(1)
        return True

    def _drop(self, count: int) -> None:
        del self._waiting[:count]
        self._line += count

    def _parsed(self, lines: list[str]) -> Iterator[list[str]]:
        return csv.reader(lines, delimiter=self._separator or ",", strict=True)

    def _fast(self, done: float) -> Chunk | None:
        """All that waits at once; None when not every line is a row of its own."""
        assert self._header is not None
        lines, first = self._waiting, self._line
        try:
            rows = list(self._parsed(lines))
        except csv.Error:
            return None
        if len(rows) != len(lines) or set(map(len, rows)) - {len(self._header)}:
            return None
        self._drop(len(lines))
        return self._chunk(rows, range(first, first + len(rows)), [], done)

    def _slow(self, done: float, *, is_last: bool) -> Chunk:
        """Record by record. One that is still open at the end waits for the next block."""
        assert self._header is not None
        rows: list[list[str]] = []
        numbers: list[int] = []
        bad: list[BadRow] = []
        place, lines = 0, self._waiting
        while place < len(lines):
            line, number = lines[place], self._line + place
            span = _span(lines, place)
            if span is None and not is_last:
                break
            place += span or 1
            if not line.strip("\r "):
                continue
            row, reason = self._row(lines[place - (span or 1) : place], span)
            if row is None:
                place = place - (span or 1) + 1  # the lines after the first are tried again
                bad.append(BadRow(number, reason, kept(line)))
            else:
                rows.append(row)
                numbers.append(number)
        self._drop(place)
        return self._chunk(rows, numbers, bad, done)

    def _row(self, lines: list[str], span: int | None) -> tuple[list[str] | None, str]:
        assert self._header is not None
        for line in lines:
            if fault := fault_of(line):
                return None, fault
        if span is None:
            return None, "a quote is not closed"
        try:
            row = next(self._parsed([f"{line}\n" for line in lines]), [])
        except csv.Error as error:
            return None, f"no CSV: {error}"
        if len(row) != len(self._header):
            return None, f"has {len(row)} fields where the header has {len(self._header)}"
        return row, ""

    def _chunk(
        self, rows: list[list[str]], lines: "range | list[int]", bad: list[BadRow], done: float
    ) -> Chunk:
        header = self._header or []
        values = list(zip(*rows, strict=True)) if rows else [() for _ in header]
        return Chunk(tuple(header), values, lines, bad, done)


def _span(lines: list[str], place: int) -> int | None:
    """How many lines the record has; None when its last quote is still open where the lines, or
    what a row may hold, end."""
    quotes = size = 0
    for end in range(place, len(lines)):
        quotes += lines[end].count('"')
        size += len(lines[end])
        if quotes % 2 == 0:
            return end - place + 1
        if size > LONGEST_ROW:
            return 1
    return None
